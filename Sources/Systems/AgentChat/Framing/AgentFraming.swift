public import ChatModel

/// The framing `agent-json`: a payload is one JSON frame of the protocol, and nothing is added to it.
///
/// The direction tells whose a frame is: a command is for the agent's machine, a server message for the client's, and
/// the client's first word for whoever opens chats where there is no agent's machine yet. Every frame is checked by the
/// rules of decoding in both directions, so that what breaks one goes no further.
public struct AgentFraming: FramingStrategy {
    private var table = ListeningTable()
    private let codec: AgentJSON

    /// A framing of a mode.
    public init(_ mode: Mode = .strict) {
        codec = AgentJSON(mode)
    }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: codec.mode == .strict ? "agent-json" : "agent-json-conformant",
            summary: "One JSON object of the agent chat protocol for each payload.",
            claims: [
                Claim(.unlinkability, "AC-36", holds: false, "frames are in plain"),
                Claim(.senderPrivacy, "AC-36", holds: false, "the direction says who sent"),
            ])
    }

    /// Nothing is put in front.
    public var headRoom: Int { 0 }

    /// A frame has 1 MiB at most.
    public func maximumPayload(within bytes: Int) -> Int { min(bytes, AgentJSON.maximumFrame) }

    /// Replaces what an owner listens to.
    public mutating func listen(_ listening: [Listening], for owner: Owner) {
        table.listen(listening, for: owner)
    }

    /// Checks the frame, and leaves it as it is.
    public mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        if let header = routed.headers.first {
            throw Refusal(.unsupported, CommonCause.unsupportedHeader(header.name, framing: facts.name))
        }
        do throws(Violation) {
            if routed.route == AgentChatConversation.clientRoute {
                try codec.check(serverMessage: routed.payload.span)
            } else if !SideOutput.isHello(routed.payload.span) {
                _ = try codec.command(routed.payload.span)
            }
        } catch { throw Refusal(.unable, error) }
        return Addressed(
            routed.address, payload: routed.payload, replyAddress: routed.replyAddress, ending: routed.ending)
    }

    /// Finds the machine by the direction of a frame.
    public func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        guard let entry = try entry(of: addressed) else { return .foreign }
        let routed = Routed(
            addressed.address, entry.route, payload: addressed.payload, replyAddress: addressed.replyAddress,
            ending: addressed.ending)
        return .payload(routed, for: entry.owner)
    }

    private func entry(of addressed: Addressed) throws(Refusal) -> ListeningTable.Entry? {
        let address = addressed.address
        if SideOutput.isHello(addressed.payload.span) { return agent(on: address) }
        // A server message for a client's machine is read first by whoever is one; an agent's service reads commands.
        guard let client = table[address, AgentChatConversation.clientRoute.id] else {
            // One's own server messages come back where everybody on an address hears everything.
            if (try? codec.check(serverMessage: addressed.payload.span)) != nil { return nil }
            return agent(on: address)
        }
        do throws(Violation) {
            try codec.check(serverMessage: addressed.payload.span)
            return client
        } catch {
            if (try? codec.command(addressed.payload.span)) != nil { return agent(on: address) }
            throw Refusal(.invalid, error)
        }
    }

    private func agent(on address: DeliveryAddress) -> ListeningTable.Entry? {
        table[address, AgentChatConversation.agentRoute.id] ?? table[address, AgentReady.route.id]
    }
}
