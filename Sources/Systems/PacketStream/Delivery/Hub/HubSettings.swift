import ChatModel

/// What an operator decides about a hub (section 9 of `Specs/packet-stream.md`).
public struct HubSettings: Sendable {
    /// A way from one step to another.
    public struct Route: Hashable, Sendable {
        /// The names of the two steps.
        public let from, to: String

        /// Reads `from:to`.
        public init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.unicodeScalars.count <= 128 }) else {
                return nil
            }
            (from, to) = (parts[0], parts[1])
        }
    }

    /// Whose packets are read; they are always written canonically.
    public var mode = PacketMode.canonical
    /// What happens to packets that were lost.
    public var semantics = DeliveryPolicy.Semantics.atLeastOnce
    /// What a full buffer does with one more packet.
    public var overflow = DeliveryPolicy.Overflow.refuse
    /// Messages and bytes that wait for one step, and that one step may have under way.
    public var maximumMessages = 100, maximumBytes = 10 << 20
    /// Steps that get what one step sends.
    public var maximumDownstreams = 32
    /// Runs, and steps of a run, that are known at once.
    public var maximumRuns = 1_024, maximumSteps = 256
    /// The ways between steps; without any, each step's packets go to all other steps of its run.
    public var routes: [Route] = []
    /// Whether the hub states capabilities when a session starts.
    public var statesCapabilities = false
    /// How long the start of a session may take.
    public var handshakeLimit = PacketHandshake.limit

    /// What the contract has: no routes, at least once, nothing that was accepted is dropped.
    public init() {}

    /// The policy towards a step: packets keep the numbers that their sender gave them.
    public var downstream: DeliveryPolicy {
        DeliveryPolicy(
            ordering: .none, semantics: semantics, overflow: overflow, maximumMessages: maximumMessages,
            maximumBytes: maximumBytes)
    }

    /// The policy for what a step sends.
    public var upstream: DeliveryPolicy {
        DeliveryPolicy(semantics: semantics, maximumMessages: maximumMessages, maximumBytes: maximumBytes)
    }

    /// The step with more downstreams than there may be.
    public var overloadedStep: String? {
        Dictionary(grouping: Set(routes), by: \.from).first { $0.value.count > maximumDownstreams }?.key
    }
}
