import AgentChatServer
import ArgumentParser
import Foundation

/// Measures the service against a bare echo of WebSocket frames: each in a process of its own, with the same crowd of
/// clients in this one.
@main struct AgentChatBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent-chat-bench", abstract: "Streams to many sockets, and compares with a bare echo.",
        subcommands: [Compare.self, Host.self], defaultSubcommand: Compare.self)
}

/// The crowd, and both measurements.
struct Compare: AsyncParsableCommand {
    @Option(help: "How many sockets, each on a chat of its own.") var sockets = 1_000
    @Option(help: "Deltas of 32 bytes a second on each socket.") var rate = 50
    @Option(help: "How long each measurement lasts, in seconds.") var seconds = 10
    @Flag(help: "JSON instead of text.") var json = false

    func run() async throws {
        FileLimit.raise(to: 2 * sockets + 256)
        let paced = Stream(sockets: sockets, deltas: rate * seconds, pause: .nanoseconds(1_000_000_000 / rate))
        let flood = Stream(sockets: sockets, deltas: rate * seconds, pause: .zero)
        var all: [String: [Measurement]] = [:]
        for (name, stream) in [("paced", paced), ("flood", flood)] {
            for kind in Host.Kind.allCases {
                let measurement = try await measure(kind, stream)
                all[name, default: []].append(measurement)
                print(json ? measurement.json(name) : measurement.text(name))
            }
        }
        guard !json else { return }
        for name in ["paced", "flood"] {
            guard let both = all[name], both.count == 2 else { continue }
            let ratio = both[0].deltasPerCore / both[1].deltasPerCore
            print("\(name): the service does \(String(format: "%.2f", ratio)) of what the echo does with a processor")
        }
    }

    private func measure(_ kind: Host.Kind, _ stream: Stream) async throws -> Measurement {
        let host = try HostProcess(kind, stream)
        defer { host.end() }
        let crowd = Crowd(kind, stream, port: host.port)
        let empty = try host.usage()
        try await crowd.enter(host.chats)
        let entered = try host.usage()
        let start = ContinuousClock.now
        try await crowd.stream()
        let wall = start.duration(to: .now)
        let after = try host.usage()
        await crowd.leave()
        return Measurement(
            kind: kind, deltas: crowd.delays.count, wall: wall / .seconds(1),
            processor: after.processor - entered.processor,
            socketBytes: (entered.memory - empty.memory) / stream.sockets, delays: crowd.delays.sorted())
    }
}

/// What is streamed.
struct Stream: Sendable {
    let sockets: Int
    let deltas: Int
    let pause: Duration
}

/// What came of it.
struct Measurement {
    let kind: Host.Kind
    let deltas: Int
    let wall: Double
    /// Seconds of a processor that the host took.
    let processor: Double
    let socketBytes: Int
    /// In microseconds, the shortest first.
    let delays: [UInt32]

    var deltasPerCore: Double { Double(deltas) / max(processor, 1e-9) }

    private func delay(_ share: Double) -> Double {
        delays.isEmpty ? 0 : Double(delays[min(delays.count - 1, Int(Double(delays.count) * share))]) / 1_000
    }

    func text(_ name: String) -> String {
        String(
            format:
                "%@ %@: %d deltas, %.0f/s, %.2f of a processor, %.0f deltas/s of one, p50 %.1f ms, p99 %.1f ms, %.1f KiB a socket",
            name, kind.rawValue, deltas, Double(deltas) / wall, processor / wall, deltasPerCore, delay(0.5),
            delay(0.99),
            Double(socketBytes) / 1_024)
    }

    func json(_ name: String) -> String {
        String(
            format: """
                {"name": "%@", "kind": "%@", "deltas": %d, "per_second": %.1f, "processor": %.3f, "per_core": %.1f, \
                "p50_ms": %.2f, "p99_ms": %.2f, "socket_bytes": %d}
                """,
            name, kind.rawValue, deltas, Double(deltas) / wall, processor / wall, deltasPerCore, delay(0.5),
            delay(0.99),
            socketBytes)
    }
}
