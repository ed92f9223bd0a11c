import ChatCodec
import ChatCrypto
public import ChatModel

/// The conversation type `engine-tree`: a client and an engine whose application is the backend, two kinds of machine
/// under one name.
///
/// Who invites is the client, who is invited the engine. The client's contents are questions, perhaps about an answer
/// that they branch from; the engine's answer what was asked, whole or in parts. ``EngineTreeAction`` has the rest. By
/// itself a payload is one line, in clear; ``init(inside:sessionType:client:)`` puts the same lines into a conversation
/// of another type, so that what that one protects is protected.
public struct EngineTree: ConversationProtocol {
    /// The type's name without parameters.
    public static let name = "engine-tree"

    /// Name, claims, and plainly what it lacks.
    public let facts: Facts
    private let carrier: (any ConversationProtocol)?
    private let sessionType: SessionType
    private let client: String

    static let (clientRoute, engineRoute) = (Route("client"), Route("engine"))

    /// The type that sends its lines as they are: for an engine with a session type, or for a client with a name.
    public init(sessionType: SessionType = .chat, client: String = "client") {
        (carrier, self.sessionType, self.client) = (nil, sessionType, client)
        facts = Facts(
            name: Self.name, summary: "Questions, streamed answers, branches and variants in a tree; in clear.",
            claims: [
                Claim(.confidentiality, "CE-42", holds: false, "lines travel in clear"),
                Claim(.integrity, "CE-42", holds: false), Claim(.authentication, "CE-42", holds: false),
                Claim(.forwardSecrecy, "CE-42", holds: false),
                Claim(.lossDetection, "CE-41", "events of a stream are numbered"),
                Claim(.lossRecovery, "CE-41", "a request without an end is sent again, and answered once"),
            ], needs: [.ordering])
    }

    /// The type whose lines are contents of another conversation of two, whose claims hold for it.
    public init(inside carrier: any ConversationProtocol, sessionType: SessionType = .chat, client: String = "client") {
        (self.carrier, self.sessionType, self.client) = (carrier, sessionType, client)
        var parameters = carrier.name.parameters ?? [:]
        parameters["in"] = carrier.name.base
        facts = Facts(
            name: ConversationType(Self.name, parameters: parameters).name,
            summary: "A tree of questions and answers, inside a conversation: \(carrier.facts.summary)",
            claims: carrier.facts.claims, needs: carrier.facts.needs)
    }

    /// Begins a conversation.
    public func begin(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) -> any Conversation {
        try EngineTreeConversation(
            seed, party: party(isClient: seed.role == .initiator), type: facts.name, carrier: carrier, in: &step)
    }

    /// Makes a conversation again from all its records.
    public func restore(_ records: [Record]) throws(Refusal) -> any Conversation {
        try EngineTreeConversation(restoring: records, type: facts.name, carrier: carrier) { isClient in
            party(isClient: isClient)
        }
    }

    private func party(isClient: Bool) -> TreeParty {
        isClient ? .client(TreeClient(sessionType: sessionType.id, name: client)) : .engine(TreeEngine(sessionType))
    }
}

extension SessionType {
    /// The type of a conversation that names no other.
    public static let chat = SessionType(
        id: SessionTypeID(unchecked: "gts.hyperspot.chat_engine.session_types.chat.v1~"), name: "Chat",
        webhookURL: "http://localhost/")
}

/// One of both machines.
enum TreeParty: Sendable {
    case client(TreeClient)
    case engine(TreeEngine)

    var isClient: Bool { if case .client = self { true } else { false } }

    var acceptsContent: Bool { if case .client(let client) = self { client.session != nil } else { true } }

    var nextWake: Timestamp? { if case .client(let client) = self { client.nextWake } else { nil } }

    mutating func begin(in step: inout Step) -> TreeOutput {
        guard case .client(var client) = self else { return TreeOutput() }
        defer { self = .client(client) }
        return client.begin(at: step.now)
    }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Violation) -> TreeOutput {
        switch self {
        case .client(var client):
            let output = try client.perform(action, as: id, at: step.now)
            self = .client(client)
            return output
        case .engine(var engine):
            let output = try engine.perform(action, at: step.now)
            self = .engine(engine)
            return output
        }
    }

    mutating func receive(_ line: Span<UInt8>, in step: inout Step) throws(Violation) -> TreeOutput {
        switch self {
        case .client(var client):
            let output = try client.receive(line, at: step.now)
            self = .client(client)
            return output
        case .engine(var engine):
            let output = try engine.receive(line, at: step.now, random: &step.random)
            self = .engine(engine)
            return output
        }
    }

    mutating func handle(_ signal: Signal, in step: inout Step) -> TreeOutput {
        switch (self, signal) {
        case (.client(var client), .due), (.client(var client), .restored), (.client(var client), .linkBack):
            defer { self = .client(client) }
            return client.repeatRequests(at: step.now, isAll: signal != .due)
        default: return TreeOutput()
        }
    }

    mutating func takeChanges() -> [Record] {
        switch self {
        case .client(var client):
            defer { self = .client(client) }
            return client.takeChanges()
        case .engine(var engine):
            defer { self = .engine(engine) }
            return engine.takeChanges()
        }
    }

    mutating func restore(_ records: [Record]) throws(Refusal) {
        switch self {
        case .client(var client):
            try client.restore(records)
            self = .client(client)
        case .engine(var engine):
            try engine.restore(records)
            self = .engine(engine)
        }
    }
}

/// What a step of either machine leaves: lines for the other side, and events for the application.
struct TreeOutput: Sendable {
    var lines: [(bytes: [UInt8], content: ContentID?)] = []
    var events: [Event] = []

    mutating func send(_ value: some EngineValue, for content: ContentID? = nil) {
        lines.append((EngineJSON().encode(value), content))
    }

    /// Tells the application a value of the protocol.
    mutating func tell(_ value: some EngineValue) {
        events.append(.frame(kind: EngineTreeAction.kind, bytes: Bytes(EngineJSON().encode(value))))
    }
}
