import ChatClient
import ChatModel
import Testing

/// Tells with each content how much room its step had.
private struct Roomy: SimpleConversation {
    static let facts = Facts(name: "roomy", summary: "a toy that tells how much room there is")
    private var toy: ToyConversation

    var id: ConversationID { toy.id }
    var listening: [Listening] { toy.listening }

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) { toy = try ToyConversation(seed, in: &step) }
    init(restoring records: [Record]) throws(Refusal) { toy = try ToyConversation(restoring: records) }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        try toy.perform(action, as: id, in: &step)
        step.report(.frame(kind: "room", bytes: Bytes("\(step.maximumPayload)")))
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) { try toy.receive(routed, in: &step) }
    func takeChanges() -> [Record] { toy.takeChanges() }
}

@Test
func `what the service refuses as too large is all the room there is, for an hour or until the link is back (CORE-11)`()
    throws
{
    var saro = try CorePeer("saro", types: [Roomy.type], maximumPayload: 10_000)
    var raya = try CorePeer("raya", types: [Roomy.type], maximumPayload: 10_000)
    let id = try saro.begin(with: try raya.introduce(), "roomy")
    raya.receive(saro.publish())
    func room() throws -> Int {
        try saro.send("word", in: id)
        let rooms = saro.events.compactMap { event -> Int? in
            guard case .conversation(_, .frame("room", let bytes, _)) = event else { return nil }
            return Int(String(decoding: bytes.array, as: UTF8.self))
        }
        return try #require(rooms.last)
    }
    func refuse(_ limit: Int) {
        let payloads = saro.core.takeOutbox(now: saro.now)
        #expect(!payloads.isEmpty)
        saro.core.settle(payloads, payloads.map { _ in .failure(.tooLarge(bytes: 9_000, limit: limit)) }, now: saro.now)
        saro.store()
    }
    let all = try room()
    refuse(5_000)
    #expect(try room() == all - 5_000)
    refuse(7_000)
    #expect(try room() == all - 5_000, "it took less before")
    for limit in [0, -1, 2_000] {
        refuse(limit)
        #expect(try room() == all - 5_000, "nothing could be said at all")
    }
    saro.core.notice(.interrupted("no link"), now: saro.now)
    #expect(try room() == all - 5_000)
    saro.core.notice(.resumed(), now: saro.now)
    #expect(try room() == all, "perhaps it is another service")
    refuse(5_000)
    saro.now = saro.now + .seconds(3_599)
    #expect(try room() == all - 5_000)
    saro.now = saro.now + .seconds(1)
    #expect(try room() == all, "it is asked again after an hour")
}
