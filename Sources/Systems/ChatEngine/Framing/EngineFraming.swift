public import ChatModel

/// The framing `engine-ndjson`: a payload is one line of the protocol, and nothing is added to it.
///
/// Its fields tell whose a line is: a request is for the engine's machine, an answer or event for the client's, and an
/// invite for whoever begins sessions. Every line is checked in both directions, so that what breaks a rule goes no
/// further.
public struct EngineFraming: FramingStrategy {
    private var table = ListeningTable()
    private let codec = EngineJSON()

    /// The framing.
    public init() {}

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: "engine-ndjson", summary: "One JSON object of the chat engine protocol for each payload.",
            claims: [
                Claim(.unlinkability, "CE-42", holds: false, "lines are in plain"),
                Claim(.senderPrivacy, "CE-42", holds: false, "a line says which side sent it"),
            ])
    }

    /// Nothing is put in front.
    public var headRoom: Int { 0 }

    /// A line has 10 MiB at most.
    public func maximumPayload(within bytes: Int) -> Int { min(bytes, EngineJSON.maximumLine) }

    /// Replaces what an owner listens to.
    public mutating func listen(_ listening: [Listening], for owner: Owner) {
        table.listen(listening, for: owner)
    }

    /// Checks the line, and leaves it as it is.
    public mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        if let header = routed.headers.first {
            throw Refusal(.unsupported, CommonCause.unsupportedHeader(header.name, framing: facts.name))
        }
        guard let route = route(of: routed.payload), route == routed.route else {
            throw Refusal(.unable, Violation(.event, "is no line for \(routed.route)"))
        }
        return Addressed(routed.address, payload: routed.payload, replyAddress: routed.replyAddress)
    }

    /// Finds the machine by what a line is.
    public func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        guard !table[addressed.address].isEmpty else { return .foreign }
        guard let route = route(of: addressed.payload) else {
            throw Refusal(.invalid, Violation(.event, "is no line of this protocol"))
        }
        guard let entry = table[addressed.address, route.id] else { return .foreign }
        let routed = Routed(
            addressed.address, entry.route, payload: addressed.payload, replyAddress: addressed.replyAddress)
        return .payload(routed, for: entry.owner)
    }

    /// For whom a line is.
    private func route(of payload: Payload) -> Route? {
        let line = payload.span
        if (try? codec.decode(EngineFrame.self, from: line, maximumBytes: EngineJSON.maximumLine)) != nil {
            return EngineTree.clientRoute
        }
        if (try? codec.decode(ClientFrame.self, from: line, maximumBytes: EngineJSON.maximumLine)) != nil {
            return EngineTree.engineRoute
        }
        let invite = try? codec.decode(EngineInvite.self, from: line, maximumBytes: EngineJSON.maximumLine)
        return invite == nil ? nil : EngineSession.route
    }
}
