import ChatCodec
import ChatInitialization
import ChatModel
import TestSupport
import Testing

@Test func `a used key is told from one that never was, and from one that expired (INBOX-05)`() throws {
    var (saro, raya) = try pair(.reference)
    let bundles = try raya.introduce(2)
    let invites = try bundles.map { try saro.invite(with: $0) }
    _ = try raya.receive(invites[0])
    func code(_ routed: Routed) -> String? { raya.refusal(of: routed)?.cause.code }
    #expect(code(invites[0]) == "replay")
    raya.now = start + .seconds(14 * 86_400)
    #expect(code(invites[1]) == "expired", "before anybody swept")
    try raya.wake(.due)
    #expect(code(invites[1]) == "expired", "after it was swept")
    var stranger = try pair(.reference, seed: 77).raya
    let unknown = try saro.invite(with: stranger.introduce()[0])
    #expect(code(unknown) == "unknown_ephemeral_key")
    raya.now = start + .seconds(28 * 86_400)
    try raya.wake(.due)
    #expect(invites.map(code) == ["unknown_ephemeral_key", "unknown_ephemeral_key"], "forgotten after as long again")
    #expect(raya.stored.isEmpty)
}

@Test func `in profile libchat a used key is unknown, and none expires`() throws {
    var (saro, raya) = try pair(.libchat)
    let bundles = try raya.introduce(2)
    #expect(bundles.allSatisfy { $0.expiry == nil && $0.isSingleUse })
    let invites = try bundles.map { try saro.invite(with: $0) }
    _ = try raya.receive(invites[0])
    #expect(raya.refusal(of: invites[0])?.cause.code == "unknown_ephemeral_key")
    raya.now = start + .seconds(10_000 * 86_400)
    try raya.wake(.due)
    _ = try raya.receive(invites[1])
    #expect(raya.stored.isEmpty && raya.alarm == nil)
}

@Test func `a bundle says when its key expires, to the millisecond (INBOX-06)`() throws {
    var (saro, raya) = try pair(.reference)
    let bundle = try raya.introduce()[0]
    let end = start + .seconds(14 * 86_400)
    #expect(bundle.expiry == end && raya.alarm == end)
    saro.now = Timestamp(milliseconds: end.milliseconds - 1)
    raya.now = saro.now
    let invite = try saro.invite(with: bundle)
    saro.now = end
    #expect(throws: Refusal(.unable, InitializationCause.expiredBundle(end))) { try saro.seed(for: bundle) }
    _ = try raya.receive(invite)
}

@Test(arguments: [(InboxV1.Profile.reference, 64), (.libchat, 1_024)])
func `no more keys live than the limit, and asking for more changes nothing (INBOX-06)`(
    profile: InboxV1.Profile, limit: Int
) throws {
    var (saro, raya) = try pair(profile)
    let bundles = try raya.introduce(limit - 1)
    let before = raya.stored
    #expect(throws: Refusal(.unable, InitializationCause.tooManyKeys(limit + 1, limit: limit))) {
        try raya.introduce(2)
    }
    #expect(raya.stored == before && before.count == limit - 1)
    _ = try raya.introduce()
    #expect(throws: Refusal.self) { try raya.introduce() }
    _ = try raya.receive(saro.invite(with: bundles[0]))
    _ = try raya.introduce()
    let none = try raya.introduce(0)
    #expect(none.isEmpty)
    guard profile == .reference else { return }
    raya.now = start + .seconds(14 * 86_400)
    let fresh = try raya.introduce(limit)
    #expect(fresh.count == limit, "what has expired takes no room")
}

@Test func `a memory is bounded, forgets the oldest first, and survives a restart (INBOX-05)`() throws {
    func time(_ seconds: Int) -> Timestamp { start + .seconds(seconds) }
    var memory = ReplayCache(prefix: "gone/", limit: 3, machine: "test")
    for (name, seconds) in [([1], 30), ([2], 10), ([3], 20), ([4], 40)] as [([UInt8], Int)] {
        memory.remember(name, note: UInt64(name[0]), until: time(seconds))
    }
    #expect(memory[[2]] == nil && memory[[1]] == 1 && memory[[4]] == 4 && memory.nextDue == time(20))
    var stored: [String: Bytes] = [:]
    for record in memory.takeChanges() { stored[record.key] = record.bytes }
    #expect(stored.keys.sorted() == ["gone/01", "gone/03", "gone/04"] && memory.takeChanges().isEmpty)
    var again = ReplayCache(prefix: "gone/", limit: 3, machine: "test")
    for (key, bytes) in stored {
        let isTaken = try again.restore(Record(key, bytes))
        #expect(isTaken)
    }
    let isForeign = try again.restore(Record("key/01", [1]))
    #expect(!isForeign && again[[3]] == 3 && again.takeChanges().isEmpty)
    #expect(throws: Refusal.self, "one more than there is room for") { try again.restore(Record("gone/05", [1])) }
    again.sweep(time(30))
    #expect(again[[1]] == nil && again[[3]] == nil && again[[4]] == 4)
    #expect(again.takeChanges() == [Record("gone/03", nil), Record("gone/01", nil)])
}

@Test(arguments: InboxV1.Profile.allCases)
func `a restart at every step changes nothing that can be seen`(profile: InboxV1.Profile) throws {
    var (saro, raya) = try pair(profile)
    let fresh = try (saro: inbox(0x11, profile), raya: inbox(0x22, profile))
    try raya.restart(fresh.raya)
    let bundles = try raya.introduce(3)
    try raya.restart(fresh.raya)
    let invites = try bundles.map { bundle in
        try saro.restart(fresh.saro)
        return try saro.invite(with: bundle)
    }
    for invite in invites {
        try raya.restart(fresh.raya)
        let seed = try raya.receive(invite)
        #expect(seed.opening == Bytes("hello"))
        try raya.restart(fresh.raya)
        #expect(raya.refusal(of: invite) != nil)
    }
    #expect(raya.machine.listening == fresh.raya.listening)
}

@Test func `records that cannot be read refuse them all and change nothing`() throws {
    var (_, raya) = try pair(.reference)
    _ = try raya.introduce(2)
    let good = raya.stored.map { Record($0.key, $0.value) }
    let key = good[0]
    let bytes = key.bytes ?? []
    func outcome(_ records: [Record]) throws -> Refusal.Outcome? {
        var fresh = try inbox(0x22)
        do throws(Refusal) {
            try fresh.restore(records)
            return nil
        } catch {
            #expect(fresh.takeChanges().isEmpty)
            return error.outcome
        }
    }
    let outcomes = try [
        outcome(good), outcome(good + [Record("other/1", bytes)]), outcome([Record(key.key, [])]),
        outcome([Record(key.key, [2] + bytes.array.dropFirst())]), outcome([Record(key.key, bytes.slice(0..<9))]),
        outcome([Record("key/00000000", bytes)]), outcome([Record("gone/zz", [1, 0x18, 1])]),
        outcome([Record("contact/x", [1, 0x0a, 1, 9])]), outcome([Record("contact/1", [1])]),
        // Written by the version before, which sent invites again itself.
        outcome([Record("invite/1", [1, 0x30, 9])]),
    ]
    #expect(
        outcomes == [
            nil, .unsupported, .invalid, .unsupported, .invalid, .invalid, .invalid, .invalid, .invalid, .unsupported,
        ])
}

extension Record {
    fileprivate init(_ key: String, _ bytes: [UInt8]) { self.init(key, Bytes(bytes)) }
}
