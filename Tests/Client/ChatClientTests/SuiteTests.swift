import ChatClient
import ChatCodec
import ChatModel
import TestSupport
import Testing

@Suite struct SuiteTests {
    private func registry() -> Registry {
        var registry = Registry()
        registry.discovery("toy-discovery") { _ in ToyDiscovery() }
        registry.initialization("toy-initialization") { ToyInitialization("raya") }
        registry.conversation(ToyConversation.type)
        registry.conversation(OtherConversation.type)
        registry.delivery("toy-service") { ToyService() }
        registry.framing("toy-framing") { ToyFraming() }
        return registry
    }

    @Test(.timeLimit(.minutes(30)))
    func `a composition is five choices and its name parses back (FW-01)`() async throws {
        let text = "toy-discovery/toy-initialization/toy+other/toy-service/toy-framing"
        let suite = try await registry().suite(try SuiteName(parsing: text))
        #expect(suite.name.description == text)
        #expect(
            suite.choices.map(\.component) == [
                .discovery, .initialization, .conversation, .conversation, .delivery, .framing,
            ])
        #expect(suite.description.contains("Delivery Service: toy-service\n  at once, to everybody who is there"))
        #expect(suite.json["suite"]?.text == text)
        #expect(suite.json["choices"]?.list?.count == 6)
    }

    @Test(arguments: ["", "a/b/c/d", "a/b/c/d/e/f", "a//c/d/e"])
    func `a name of another form is refused with its number of parts`(text: String) {
        #expect(throws: SuiteError.parts(text.split(separator: "/", omittingEmptySubsequences: false).count, in: text))
        {
            try SuiteName(parsing: text)
        }
    }

    @Test(.timeLimit(.minutes(30))) func `an unknown component is named with those that are known`() async throws {
        let name = try SuiteName(parsing: "toy-discovery/toy-initialization/else/toy-service/toy-framing")
        await #expect(throws: SuiteError.unknown("else", .conversation, known: ["other", "toy"])) {
            try await registry().suite(name)
        }
    }

    @Test func `a component that needs what the service lacks is refused (DS-11)`() throws {
        struct Needy: FramingStrategy {
            let facts = Facts(name: "needy", summary: "", needs: [.offlineRetrieval])
            let headRoom = 0
            mutating func listen(_ listening: [Listening], for owner: Owner) {}
            func wrap(
                _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
            ) throws(Refusal) -> Addressed {
                Addressed(routed.address, payload: routed.payload)
            }
            func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped { .foreign }
        }
        #expect(throws: SuiteError.unmet(.offlineRetrieval, of: "needy", by: "toy-service")) {
            try ChatSuite(
                discovery: ToyDiscovery(), initialization: ToyInitialization("raya"),
                conversations: [ToyConversation.type], delivery: ToyService(), framing: Needy())
        }
        #expect(throws: SuiteError.twice("toy")) {
            try ChatSuite(
                discovery: ToyDiscovery(), initialization: ToyInitialization("raya"),
                conversations: [ToyConversation.type, ToyConversation.type], delivery: ToyService(),
                framing: ToyFraming())
        }
    }

    @Test func `a first contact of several messages is described (CONTACT-1)`() throws {
        func suite(_ initialization: any InitializationProtocol) throws -> ChatSuite {
            try ChatSuite(
                discovery: ToyDiscovery(), initialization: initialization, conversations: [ToyConversation.type],
                delivery: ToyService(), framing: ToyFraming())
        }
        let (one, three) = (try suite(ToyInitialization("raya")), try suite(ToyHandshake("raya")))
        #expect(three.description.contains("\n  a first contact takes 3 messages\n"))
        #expect(!one.description.contains("first contact takes"))
        #expect(three.json["choices"]?.list?[1]["messages"] == 3 && one.json["choices"]?.list?[1]["messages"] == nil)
    }

    @Test(.timeLimit(.minutes(30))) func `one choice changes and the other four stay (FW-02)`() async throws {
        let text = "toy-discovery/toy-initialization/toy/toy-service/toy-framing"
        let suite = try await registry().suite(try SuiteName(parsing: text))
        let changed = try suite.changing(conversations: [OtherConversation.type])
        #expect(changed.name.description == "toy-discovery/toy-initialization/other/toy-service/toy-framing")
        #expect(try suite.changing().name == suite.name)
        #expect(throws: SuiteError.noConversationType) { try suite.changing(conversations: []) }
    }
}
