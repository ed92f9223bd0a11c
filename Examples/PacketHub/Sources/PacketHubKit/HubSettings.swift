package import PacketStream

/// What an operator decides about a hub.
package struct HubSettings: Sendable {
    /// A way from one step to another.
    package struct Route: Hashable, Sendable {
        package let from, to: String

        /// Reads `from:to`.
        package init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.unicodeScalars.count <= 128 }) else {
                return nil
            }
            (from, to) = (parts[0], parts[1])
        }
    }

    /// Whose packets are read; they are always written canonically.
    package var mode = PacketMode.canonical
    /// What happens to packets that were lost, and to those for which there is no room.
    package var semantics = DeliveryPolicy.Semantics.atLeastOnce
    package var overflow = DeliveryPolicy.Overflow.refuse
    /// Messages and bytes that wait for one step, and that one step may have under way.
    package var maximumMessages = 100, maximumBytes = 10 << 20
    /// Steps that get what one step sends.
    package var maximumDownstreams = 32
    /// Runs, and steps of a run, that are known at once.
    package var maximumRuns = 1_024, maximumSteps = 256
    /// The ways between steps; without any, each step's packets go to all other steps of its run.
    package var routes: [Route] = []
    /// Whether the hub states capabilities when a session starts.
    package var statesCapabilities = false
    /// How long the start of a session may take.
    package var handshakeLimit = PacketHandshake.limit

    package init() {}

    /// The policy towards a step: packets keep the numbers that their sender gave them.
    var downstream: DeliveryPolicy {
        DeliveryPolicy(
            ordering: .none, semantics: semantics, overflow: overflow, maximumMessages: maximumMessages,
            maximumBytes: maximumBytes)
    }

    /// The policy for what a step sends.
    var upstream: DeliveryPolicy {
        DeliveryPolicy(semantics: semantics, maximumMessages: maximumMessages, maximumBytes: maximumBytes)
    }

    /// The step with more downstreams than there may be.
    package var overloadedStep: String? {
        Dictionary(grouping: Set(routes), by: \.from).first { $0.value.count > maximumDownstreams }?.key
    }
}
