import ChatCodec
import ChatModel
import ChatReliability

// Kind `segmentation`: without parity; see `leopard-segments` for that.
extension Kind {
    static let segmentation = Kind(
        name: "segmentation", run: operations(["split": split, "reassemble": reassemble]), files: segmentationFiles)
    private static let now = Timestamp(milliseconds: 1_000)

    private static func split(_ one: Case) async throws -> JSON {
        let segmentation = try Segmentation(segmentSize: one.int("segment_size"))
        return ["segments": .hexes(try segmentation.split(Bytes(one.bytes("payload"))))]
    }

    private static func reassemble(_ one: Case) async throws -> JSON {
        var reassembler = Reassembler()
        var outputs: [JSON] = []
        for step in try one.list("steps") {
            var trial = reassembler
            let segment = Bytes(try step.bytes("segment"))
            outputs.append(
                try await outcome {
                    if case .complete(let whole) = try trial.receive(segment, from: "saro", now: now) {
                        return ["completes": .hex(whole)]
                    }
                    return ["completes": .null]
                })
            reassembler = trial
        }
        return ["steps": .array(outputs)]
    }

    private static func segmentationFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        for (size, segment) in [(0, 4), (1, 4), (4, 4), (5, 4), (10, 4), (255, 1), (150, 64)] {
            cases.append(
                draft(
                    "split-\(size)-by-\(segment)", "\(size) bytes in segments of \(segment) (SEG-02, SEG-03)",
                    [
                        "operation": "split", "payload": maker.hex(size, "segmentation/\(size)"),
                        "segment_size": JSON(segment),
                    ]))
        }
        cases.append(
            draft(
                "split-too-many", "256 segments; 255 is the most (SEG-R1)",
                ["operation": "split", "payload": maker.hex(256, "segmentation/256"), "segment_size": 1],
                error: "too_large"))
        let payload = Bytes(maker.bytes(150, "segmentation/150"))
        let segments = try Segmentation(segmentSize: 64).split(payload).map(\.array)
        func steps(_ id: String, _ comment: String, _ list: [([UInt8], String?)]) {
            let steps = list.map { bytes, error in
                let step: JSON = ["segment": .hex(bytes)]
                return error.map { refusedStep(step, error: $0) } ?? step
            }
            cases.append(draft(id, comment, ["operation": "reassemble", "steps": .array(steps)]))
        }
        let good = segments.map { ($0, nil as String?) }
        steps("in-order", "three segments", good)
        steps("reversed", "the last one first", good.reversed())
        steps(
            "repeated", "each one twice, and once more when all is done (SEG-10)",
            [good[0], good[0], good[1], good[1], good[2], good[2]])
        steps("one-missing", "nothing is delivered before all are there", [good[0], good[2]])
        let other = try Segmentation(segmentSize: 64).split(Bytes(maker.bytes(100, "segmentation/100"))).map {
            ($0.array, nil as String?)
        }
        steps("interleaved", "two payloads at once", [good[0], other[0], good[2], other[1], good[1]])
        steps(
            "conflicting", "another piece under the same index (SEG-R3)",
            [good[0], (flipped(segments[0], at: -1), "malformed"), good[1], good[2]])
        steps(
            "wrong-hash", "pieces that together do not have their hash (SEG-09)",
            [good[0], good[1], (flipped(segments[2], at: -1), "authentication_failed")])
        steps(
            "alone-wrong-hash", "a single segment with a wrong hash",
            [
                (
                    flipped(try Segmentation(segmentSize: 64).split(Bytes("hello"))[0].array, at: 5),
                    "authentication_failed"
                )
            ])
        let hash = Array(segments[0][0..<34])
        let bad: [(String, String, [UInt8], String)] = [
            (
                "index", "an index that is not below the count (SEG-07)",
                hash + [0x10, 0x03, 0x18, 0x03, 0x22, 0x01, 0x61], "malformed"
            ),
            ("no-count", "a count of 0, which meant parity once", hash + [0x22, 0x01, 0x61], "malformed"),
            ("too-many", "256 segments in all", hash + [0x18, 0x80, 0x02, 0x22, 0x01, 0x61], "malformed"),
            ("short-hash", "a hash of 31 bytes", [0x0a, 0x1f] + segments[0][2..<33] + [0x18, 0x01], "malformed"),
            ("empty-piece", "an empty one of several", hash + [0x18, 0x03], "malformed"),
            (
                "both-indices", "a data segment with a parity index",
                hash + [0x18, 0x03, 0x22, 0x01, 0x61, 0x28, 0x01, 0x30, 0x02], "malformed"
            ),
            (
                "parity-size", "parity of a size that is no multiple of 64",
                hash + [0x18, 0x03, 0x22, 0x01, 0x61, 0x30, 0x01, 0x38, 0x01], "malformed"
            ),
            ("later-layout", "the later message of nim-segmentation (SEG-R6)", hash + [0x20, 0x01], "unsupported"),
            ("no-proto3", "bytes that are no message", [0xff], "malformed"),
        ]
        for (id, comment, bytes, error) in bad { steps("bad-\(id)", comment, [(bytes, error)]) }
        return [VectorFile("segmentation.json", kind: "segmentation", profile: "reference", cases: cases)]
    }
}
