import ArgumentParser
import PacketHubKit

/// Measures a hub in one process with its steps.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Compare the hub with a bare gRPC stream of the same bytes, in one process.",
        discussion:
            "The bare stream goes to an echo and back, without order, receipts and checks. Build with -c release.")

    @Option(help: "Bytes of a packet's text.") var size = 1_024
    @Option(help: "Packets.") var count = 20_000
    @Option(help: "Steps that receive them; repeat it for several runs.") var downstreams: [Int] = [1, 8]

    func run() async throws {
        do {
            try checkNumber("--size", size, 1...1 << 20)
            try checkNumber("--count", count, 1...10_000_000)
            for number in downstreams { try checkNumber("--downstreams", number, 1...32) }
        } catch { throw fail(error, code: 2) }
        for number in downstreams {
            var bench = Bench()
            (bench.size, bench.count, bench.downstreams) = (size, count, number)
            let rates = try await bench.run()
            let ratio = (rates.hub / rates.bare * 100).rounded() / 100
            print("\(number) downstreams: hub \(Int(rates.hub))/s, bare stream \(Int(rates.bare))/s, ratio \(ratio)")
        }
    }
}
