import ChatModel
import ChatReliability

/// Parity for 128 shards of data, as much as the suite's default rate gives. `Tests/Tools/parity_vs_zfec.py` runs
/// this next to zfec.
enum ParityBench {
    private static let (dataCount, parityCount) = (128, 16)

    static func run(_ plan: Bench.Plan) async throws {
        for size in [1 << 10, 64 << 10] where plan.includes("parity") {
            let code = try ParityCode(dataCount: dataCount, parityCount: parityCount)
            let data = (0..<dataCount).map { row in
                Bytes((0..<size).map { UInt8(truncatingIfNeeded: (row &+ 3) &* $0 &+ ($0 >> 8)) })
            }
            let parity = try code.encode(data, shardSize: size)
            await plan.row("parity/encode/\(size)") { effort in
                throughput("parity/encode/\(size)", effort, bytes: dataCount * size) {
                    consume(try? code.encode(data, shardSize: size))
                }
            }
            // As many are lost as can be, in a row.
            let received = data.enumerated().map { $0 < parityCount ? nil : $1 }
            await plan.row("parity/recover/\(size)") { effort in
                throughput("parity/recover/\(size)", effort, bytes: dataCount * size) {
                    consume(try? code.recover(data: received, parity: parity, shardSize: size))
                }
            }
        }
    }

    /// Measures how fast some bytes of data are worked through.
    private static func throughput(_ name: String, _ effort: Effort, bytes: Int, _ body: () -> Void) -> Row {
        var count = 1
        while time({ for _ in 0..<count { body() } }) < effort.roundTime { count *= 2 }
        let speeds = (0..<effort.rounds).map { _ in
            Double(count * bytes) / Double(1 << 20) / (time { for _ in 0..<count { body() } } / .seconds(1))
        }.sorted()
        return Row(
            name: name,
            values: [
                .init("MiB/s", median(speeds)), .init("lowest", speeds.first ?? 0), .init("highest", speeds.last ?? 0),
            ])
    }
}
