import ChatCrypto
import ChatModel
import ChatReliability

/// Cutting a payload and putting it together, against one Keccak-256 pass over it.
enum SegmentationBench {
    /// The suite's segment size in bytes.
    private static let segmentSize = 102_400
    private static let now = Timestamp(milliseconds: 1)

    static func run(_ plan: Bench.Plan) async throws {
        for size in [64, 1 << 20] {
            let payload = Bytes((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            let floor = { (count: Int) in
                for _ in 0..<count { consume(Keccak256.hash(payload.span)) }
            }
            let segmentation = try Segmentation(segmentSize: segmentSize)
            try await plan.row("segmentation/split/\(size)") { effort in
                try compare("segmentation/split/\(size)", effort, floor: floor) { count in
                    for _ in 0..<count { consume(try segmentation.split(payload)) }
                }
            }
            let segments = try segmentation.split(payload)
            try await plan.row("segmentation/reassemble/\(size)") { effort in
                try compare("segmentation/reassemble/\(size)", effort, floor: floor) { count in
                    for _ in 0..<count {
                        var reassembler = Reassembler()
                        for segment in segments {
                            consume(try reassembler.receive(segment, from: "saro", now: now))
                        }
                    }
                }
            }
        }
    }
}

/// Keeps the optimizer from leaving out what made a value.
@inline(never) func consume<Value>(_ value: Value) {}
