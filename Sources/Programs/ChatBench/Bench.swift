import ChatCodec
import ChatTool

/// Measures the package against the cryptography that its work cannot do without.
enum Bench {
    /// What is measured, by file; a new file adds itself here.
    static let suites: [Suite] = [
        Suite("ratchet", "one conversation of PrivateV1, without framing and delivery", run: RatchetBench.run),
        Suite(
            "pipeline", "reliable conversations; to the bare ratchet, and to its libsodium calls",
            run: PipelineBench.run),
        Suite("segmentation", "cutting payloads and putting them together", run: SegmentationBench.run),
        Suite("parity", "parity shards and recovery, 128 + 16", run: ParityBench.run),
        Suite("framing", "finding a machine among 100,000 routes; no floor", run: FramingBench.run),
        Suite("contact", "making a bundle, and the first content to its maker; no floor", run: ContactBench.run),
        Suite("delivery", "payloads through delivery services; no floor", run: DeliveryBench.run),
        Suite("simulation", "1,000 simulated clients under 20 % loss; no floor", run: SimulationBench.run),
        Suite("agent-chat", "deltas of an agent through codec and fold; no floor", run: AgentChatBench.run),
        Suite("chat-engine", "chunks of an answer to a client, and a tree; no floor", run: ChatEngineBench.run),
        Suite(
            "packet-stream", "an envelope of 1 KiB and audio of 10 KiB through the codec; no floor",
            run: PacketStreamBench.run),
        Suite("sds", "a channel of 100 participants", run: SDSBench.run),
    ]

    /// Some measurements that belong together.
    struct Suite: Sendable {
        let name: String
        let summary: String
        /// Makes the rows one by one; those that the filter leaves out need not be made.
        let run: @Sendable (Plan) async throws -> Void

        init(_ name: String, _ summary: String, run: @escaping @Sendable (Plan) async throws -> Void) {
            (self.name, self.summary, self.run) = (name, summary, run)
        }
    }

    /// What is to be measured, how long, and where rows go.
    struct Plan: Sendable {
        let effort: Effort
        let filter: String
        let isJSON: Bool

        /// Whether rows whose names begin with a word may be wanted; for suites that prepare much.
        func includes(_ suite: String) -> Bool {
            filter.isEmpty || filter.hasPrefix(suite) || !Bench.suites.contains { filter.hasPrefix($0.name) }
        }

        /// Measures a row and shows it, if its name contains the filter.
        func row(_ name: String, _ make: (Effort) async throws -> Row) async rethrows {
            guard filter.isEmpty || name.contains(filter) else { return }
            let row = try await make(effort)
            Terminal.print(isJSON ? row.json.description : row.text)
        }
    }
}
