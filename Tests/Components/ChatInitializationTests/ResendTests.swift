import ChatInitialization
import ChatModel
import TestSupport
import Testing

@Test(arguments: InboxV1.Profile.allCases)
func `profile reference asks that its invite be sent again until it is answered, libchat does not (IBX-8)`(
    profile: InboxV1.Profile
) throws {
    var (saro, raya) = try pair(profile)
    let contact = try #require(try saro.seed(for: raya.introduce()[0]).contact)
    let (_, step) = try saro.step { machine, step throws(Refusal) in
        try machine.invite(contact, opening: Bytes("hello"), for: ContentID(1), in: &step)
    }
    #expect(step.sends.map(\.contact) == [profile == .reference ? contact : nil])
    #expect(saro.stored.isEmpty && saro.alarm == nil, "what sends it again is the client")
    #expect(throws: Refusal(.unable, InitializationCause.unknownContact(contact))) {
        try saro.step { machine, step throws(Refusal) in
            try machine.invite(contact, opening: Bytes("hello"), for: ContentID(1), in: &step)
        }
    }
}

@Test(arguments: InboxV1.Profile.allCases)
func `a contact can be invited long after it began and after restarts, until it ends (CONTACT-3)`(
    profile: InboxV1.Profile
) throws {
    var (saro, raya) = try pair(profile)
    let bundles = try raya.introduce(2)
    let (first, second) = (try saro.seed(for: bundles[0]), try saro.seed(for: bundles[1]))
    #expect(saro.stored.count == 2)
    try saro.restart(inbox(0x11, profile))
    try saro.wake(.contactEnded(try #require(second.contact)))
    #expect(saro.stored.count == 1)
    try saro.restart(inbox(0x11, profile))
    for (seed, isLive) in [(first, true), (second, false)] {
        let contact = try #require(seed.contact)
        let before = saro.sent.count
        _ = try? saro.step { machine, step throws(Refusal) in
            try machine.invite(contact, opening: Bytes("hello"), for: nil, in: &step)
        }
        #expect(saro.sent.count == before + (isLive ? 1 : 0))
    }
    let theirs = try raya.receive(saro.sent[0])
    #expect(theirs.secret == first.secret && theirs.opening == Bytes("hello"))
}
