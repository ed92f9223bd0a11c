import ChatModel
import TestSupport
import Testing

@testable import ChatClient

@Test func `a link that is good once begins one conversation of a type (CORE-21)`() throws {
    var (saro, raya) = (try CorePeer("saro"), try CorePeer("raya"))
    let bundle = try raya.introduce()
    let id = try saro.begin(with: bundle)
    #expect(throws: Refusal(.unable, ClientCause.usedBundle(id))) { try saro.begin(with: bundle) }
    try saro.restart()
    #expect(throws: Refusal(.unable, ClientCause.usedBundle(id))) { try saro.begin(with: bundle) }
    #expect(saro.core.conversations.count == 1)
    // Who gives the first one up may try again, and another link is another matter.
    try saro.core.forget(id, now: saro.now)
    _ = try saro.begin(with: bundle)
    _ = try saro.begin(with: try raya.introduce())
    #expect(saro.core.conversations.count == 2)
}

@Test func `who lost a link to somebody else is told in words, and an answer takes it back (CORE-22)`() throws {
    var (saro, pax, raya) = (try CorePeer("saro"), try CorePeer("pax"), try CorePeer("raya"))
    let (bundle, other) = (try raya.introduce(), try raya.introduce())
    _ = try saro.begin(with: bundle)
    raya.receive(saro.publish())
    let (lost, slow) = (try pax.begin(with: bundle), try pax.begin(with: other))
    let invites = pax.publish()
    raya.receive(Array(invites.prefix(1)))
    #expect(raya.contents == ["hello"])
    let end = pax.now + .seconds(15 * 86_400)
    #expect(pax.core.nextAlarm == end)
    pax.now = Timestamp(milliseconds: end.milliseconds - 1_000)
    pax.core.wake(now: pax.now)
    pax.store()
    try pax.restart()
    #expect(pax.core.nextAlarm == end)
    pax.now = end
    pax.core.wake(now: end)
    pax.store()
    let broken = pax.events.compactMap { event -> ConversationID? in
        guard case .broken(let id, let report) = event, report.code == "unanswered" else { return nil }
        return id
    }
    #expect(Set(broken) == [lost, slow] && broken.count == 2)
    #expect(pax.core.nextAlarm == nil)
    // The link stays used, over restarts too.
    try pax.restart()
    #expect(throws: Refusal(.unable, ClientCause.usedBundle(lost))) { try pax.begin(with: bundle) }
    // The other invite arrives after all.
    raya.receive(Array(invites.dropFirst()))
    let back = try #require(raya.core.conversations.first { $0.id.text.hasPrefix(String(slow.text.prefix(8))) }).id
    try raya.send("late", in: back)
    pax.receive(raya.publish())
    #expect(pax.contents == ["late"] && pax.core.troubles[slow] == nil && pax.core.troubles[lost] != nil)
}

@Test func `a link stays used after the answer, and nothing is left of a conversation that is forgotten (CORE-21)`()
    throws
{
    var (saro, raya) = (try CorePeer("saro"), try CorePeer("raya"))
    let before = saro.stored.keys.sorted()
    let bundle = try raya.introduce()
    let id = try saro.begin(with: bundle)
    raya.receive(saro.publish())
    try raya.send("yes", in: raya.core.conversations[0].id)
    saro.receive(raya.publish())
    try saro.restart()
    #expect(saro.core.nextAlarm == nil)
    #expect(throws: Refusal(.unable, ClientCause.usedBundle(id))) { try saro.begin(with: bundle) }
    try saro.core.forget(id, now: saro.now)
    saro.store()
    #expect(saro.stored.keys.filter { !$0.hasPrefix("cursor/") }.sorted() == before)
}

@Test func `no more bundles are remembered than the limit, and those that wait longest (CORE-21)`() {
    var begun = BegunContacts()
    for number in 0..<UInt64(BegunContacts.capacity) {
        let end = number == 7 ? nil : Timestamp(milliseconds: 1_000 + number)
        let entry = BegunContacts.Entry(
            name: "\(number)", conversation: ConversationID("c\(number)"), isSingleUse: true, end: end)
        #expect(begun.insert(entry) == nil)
        #expect(begun.insert(entry) == nil, "the same entry once more takes no room")
    }
    let more = { BegunContacts.Entry(name: $0, conversation: ConversationID($0), isSingleUse: true, end: nil) }
    #expect(begun.insert(more("more"))?.name == "7", "who waits for nothing goes first")
    #expect(begun.nextEnd == Timestamp(milliseconds: 1_000))
}

@Test func `as long as no invite has left, nobody is told that it was not answered (CORE-22)`() throws {
    var (saro, raya) = (try CorePeer("saro"), try CorePeer("raya"))
    let bundle = try raya.introduce()
    let id = try saro.core.begin("toy", with: bundle, saying: nil, now: saro.now).0
    saro.store()
    let day = Duration.seconds(86_400)
    let end = saro.now + .seconds(15 * 86_400)
    saro.sleep()
    #expect(saro.now == end && saro.core.nextAlarm == end + day && saro.core.troubles.isEmpty)
    try saro.send("late", in: id)
    saro.sleep()
    #expect(saro.core.troubles[id] != nil && saro.core.nextAlarm == nil)
    raya.receive(saro.publish())
    #expect(raya.contents == ["late"])
}

@Test func `a contact of several messages whose invite nobody answers is told too (CORE-22)`() throws {
    var saro = try CorePeer("saro", initialization: { ToyHandshake($0) })
    var raya = try CorePeer("raya", initialization: { ToyHandshake($0) })
    let id = try saro.begin(with: try raya.introduce())
    raya.receive(saro.publish())
    saro.receive(raya.publish())
    #expect(saro.core.conversations.map(\.id) == [id])
    while saro.sleep() { _ = saro.publish() }
    let codes = saro.events.compactMap { event -> String? in
        guard case .broken(id, let report) = event else { return nil }
        return report.code
    }
    #expect(codes == ["unanswered"] && !saro.stored.keys.contains { $0.hasPrefix("begun/") })
}
