import ChatClient
import ChatConversation
import ChatModel
import ChatReliability
import TestSupport
import Testing

/// One type, two kinds of machine: who invites asks, who is invited answers.
private struct RoleToy: ConversationProtocol {
    /// What an answer begins with; a parameter.
    let prefix: String

    var facts: Facts {
        Facts(name: ConversationType("roles", parameters: ["prefix": prefix]).name, summary: "questions and answers")
    }

    func begin(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) -> any Conversation {
        guard case .invited = seed.side else { return Asker(toy: try ToyConversation(seed, in: &step)) }
        return try Answerer(seed, prefix, in: &step)
    }

    func restore(_ records: [Record]) throws(Refusal) -> any Conversation {
        let toy = try ToyConversation(restoring: records.filter { $0.key == "toy" })
        return records.contains { $0.key == "answerer" } ? Answerer(toy: toy, prefix: prefix) : Asker(toy: toy)
    }

    private struct Asker: Conversation {
        var toy: ToyConversation
        var id: ConversationID { toy.id }
        var listening: [Listening] { toy.listening }
        func takeChanges() -> [Record] { toy.takeChanges() }
        mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
            try toy.perform(action, as: id, in: &step)
        }
        mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
            try toy.receive(routed, in: &step)
        }
    }

    private struct Answerer: Conversation {
        var toy: ToyConversation
        let prefix: String
        var id: ConversationID { toy.id }
        var listening: [Listening] { toy.listening }

        init(toy: ToyConversation, prefix: String) {
            (self.toy, self.prefix) = (toy, prefix)
        }

        init(_ seed: ConversationSeed, _ prefix: String, in step: inout Step) throws(Refusal) {
            let (toy, left) = try step.lend { (step) throws(Refusal) in try ToyConversation(seed, in: &step) }
            self.init(toy: toy, prefix: prefix)
            try answer(left, in: &step)
        }

        func takeChanges() -> [Record] { toy.takeChanges() + [Record("answerer", [1])] }
        mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
            throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: "roles"))
        }
        mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
            try answer(step.lend { (step) throws(Refusal) in try toy.receive(routed, in: &step) }.output, in: &step)
        }
        private mutating func answer(_ left: Step.Output, in step: inout Step) throws(Refusal) {
            for case .content(let received) in left.events {
                let answer = Bytes(Array(prefix.utf8) + received.content.array)
                try toy.perform(.send(answer), as: ContentID(0), in: &step)
            }
            step.take(left)
        }
    }
}

@Suite struct TypeTests {
    @Test func `one type makes a machine for each side and makes the same again from its records (TYPE-3)`() throws {
        var saro = try CorePeer("saro", types: [RoleToy(prefix: "re: ")])
        var raya = try CorePeer("raya", types: [RoleToy(prefix: "re: ")])
        let id = try saro.begin(with: try raya.introduce(), "roles;prefix=re: ")
        for question in ["one", "two"] {
            raya.receive(saro.publish())
            saro.receive(raya.publish())
            try saro.restart()
            try raya.restart()
            try saro.send(question, in: id)
        }
        raya.receive(saro.publish())
        saro.receive(raya.publish())
        #expect(raya.contents == ["hello", "one", "two"])
        #expect(saro.contents == ["re: hello", "re: one", "re: two"])
        let theirs = try #require(raya.core.conversations.first?.id)
        #expect(throws: Refusal.self) { try raya.send("I ask", in: theirs) }
    }

    @Test func `types that differ in parameters are different types (TYPE-1)`() throws {
        var saro = try CorePeer("saro", types: [RoleToy(prefix: "a"), RoleToy(prefix: "b")])
        var raya = try CorePeer("raya", types: [RoleToy(prefix: "b")])
        let bundle = try raya.introduce()
        _ = try saro.begin(with: bundle, "roles;prefix=a")
        raya.receive(saro.publish())
        #expect(raya.reports == ["unsupported unsupported"] && raya.contents.isEmpty)
        _ = try saro.begin(with: bundle, "roles;prefix=b")
        raya.receive(saro.publish())
        saro.receive(raya.publish())
        #expect(saro.contents == ["bhello"])
    }

    @Test func `records of a type that is not listed are told of and kept, and the others start (TYPE-4)`() throws {
        var saro = try CorePeer("saro", types: [ToyConversation.type, OtherConversation.type])
        var raya = try CorePeer("raya", types: [ToyConversation.type, OtherConversation.type])
        let other = try saro.begin(with: try raya.introduce(), "other")
        let toy = try saro.begin(with: try raya.introduce(), "toy")
        raya.receive(saro.publish())
        let (all, before) = (saro.types, saro.stored.filter { $0.key.contains(other.text) })
        saro.types = [ToyConversation.type]
        try saro.restart()
        #expect(saro.core.conversations.map(\.id) == [toy] && saro.reports == ["unsupported unsupported"])
        #expect(!before.isEmpty && saro.stored.filter { $0.key.contains(other.text) } == before)
        saro.types = all
        try saro.restart()
        try saro.send("again", in: other)
        raya.receive(saro.publish())
        #expect(raya.contents == ["hello", "hello", "again"])
    }

    @Test func `a registry makes the type of a name with parameters, under its canonical name (TYPE-2)`() throws {
        var registry = Registry()
        registry.conversation(PrivateV1.type)
        registry.conversations("private-v1") { try PrivateV1.type(parameters: $0) }
        for (name, canonical) in [
            ("private-v1", "private-v1"), ("private-v1;filter=0", "private-v1;filter=0"),
            ("private-v1;segment=4096;filter=0", "private-v1;filter=0;segment=4096"),
            ("private-v1;filter=2000", "private-v1"), ("private-v1;segment=102400;filter=00", "private-v1;filter=0"),
        ] {
            #expect(try registry.conversation(name).facts.name == canonical)
            let suite = SuiteName(
                discovery: "links", initialization: "inbox-v1", conversations: [canonical], delivery: "memory",
                framing: "plain")
            #expect(try SuiteName(parsing: suite.description) == suite)
        }
        for name in [
            "private-v1;", "private-v1;filter", "private-v1;filter=", "private-v1;=1", "private-v1;filter=1;filter=2",
            "private-v1;filter=-1", "private-v1;filter=65537", "private-v1;filter=x", "private-v1;segment=255",
            "private-v1;colour=1", "plain;filter=0",
        ] {
            #expect(throws: (any Error).self, "\(name)") { try registry.conversation(name) }
        }
    }
}
