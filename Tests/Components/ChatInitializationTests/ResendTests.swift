import ChatInitialization
import ChatModel
import TestSupport
import Testing

/// How long after the first sending the others come, in seconds.
private let schedule: [UInt64] =
    [3, 13, 43, 163, 643, 2_563, 10_243, 40_963] + (1...13).map { 40_963 + 86_400 * $0 }

/// Lets time pass from alarm to alarm, and notes when something was sent.
private func run(_ saro: inout Peer<InboxV1>, until limit: Int = 40) throws -> [UInt64] {
    var times: [UInt64] = []
    for _ in 0..<limit {
        guard let alarm = saro.alarm else { break }
        saro.now = alarm
        let before = saro.sent.count
        try saro.wake(.due)
        times += Array(
            repeating: (saro.now.milliseconds - start.milliseconds) / 1_000, count: saro.sent.count - before)
    }
    return times
}

@Test func `an invite that nobody answers is sent again with growing pauses, then given up (IBX-8)`() throws {
    var (saro, raya) = try pair(.reference)
    let invite = try saro.invite(with: raya.introduce()[0])
    let times = try run(&saro)
    #expect(times == schedule && saro.stored.isEmpty)
    #expect(saro.sent.count == 22 && saro.sent.allSatisfy { $0 == invite }, "the same bytes every time")
    _ = try raya.receive(saro.sent[5])
    #expect(raya.refusal(of: saro.sent[6])?.cause.code == "replay")
}

@Test func `an answer ends it, and only that of the same conversation`() throws {
    var (saro, raya) = try pair(.reference)
    let bundles = try raya.introduce(2)
    let first = try saro.invite(with: bundles[0], as: "c1")
    let second = try saro.invite(with: bundles[1], as: "c2")
    try saro.wake(.inviteAnswered(ConversationID("c1")))
    try saro.wake(.inviteAnswered(ConversationID("c3")))
    _ = try run(&saro)
    #expect(saro.sent.filter { $0 == first }.count == 1 && saro.sent.filter { $0 == second }.count == 22)
}

@Test func `a restart neither forgets an invite nor repeats it early`() throws {
    var (saro, raya) = try pair(.reference)
    _ = try saro.invite(with: raya.introduce()[0])
    var times: [UInt64] = []
    for _ in 0..<24 {
        try saro.restart(inbox(0x11))
        times += try run(&saro, until: 1)
    }
    #expect(times == schedule)
}

@Test func `a client that was away for long sends once and goes on from there`() throws {
    var (saro, raya) = try pair(.reference)
    _ = try saro.invite(with: raya.introduce()[0])
    saro.now = start + .seconds(500_000)
    try saro.restart(inbox(0x11))
    #expect(saro.sent.count == 2 && saro.alarm == saro.now + .seconds(10))
}

@Test func `libchat sends an invite once`() throws {
    var (saro, raya) = try pair(.libchat)
    _ = try saro.invite(with: raya.introduce()[0])
    let times = try run(&saro)
    #expect(times.isEmpty && saro.stored.isEmpty && saro.alarm == nil)
}

@Test func `no more invites wait for answers than the limit, and the oldest are given up`() throws {
    var (saro, raya) = try pair(.reference)
    for number in 0..<260 {
        if number % 64 == 0 { raya = try pair(.reference, seed: UInt64(number) + 5).raya }
        _ = try saro.invite(with: raya.introduce()[0], as: "c\(number)")
    }
    #expect(saro.stored.count == 256)
    try saro.restart(inbox(0x11))
    saro.now = start + .seconds(3)
    try saro.wake(.due)
    #expect(saro.sent.count == 260 + 256)
}
