import ChatCodec
import ChatCrypto
import ChatModel
import ChatReliability

// Kind `leopard-segments`: whole payloads with parity, cut, lost and put together.
extension Kind {
    /// Hashes of another library's segments say nothing of ours.
    static let paritySegments = Kind(
        name: "leopard-segments", run: computeSegments, files: paritySegmentFiles, optional: ["segments_nim_sha256"])

    private static func computeSegments(_ one: Case) async throws -> JSON {
        try requireSmallField(one)
        let (length, tail) = (try one.int("payload_length"), try one.int("zero_tail"))
        guard 0...(64 << 20) ~= length, 0...length ~= tail else { throw Problem.unreadable("payload_length") }
        let random = shard(try one.text("seed"), 0, length).array
        let payload = Bytes(Array(random.dropLast(tail)) + [UInt8](repeating: 0, count: tail))
        let rate = Segmentation.ParityRate(millionths: try one.int("parity_rate_millionths"))
        let segmentation = try Segmentation(segmentSize: one.int("segment_size"), parity: rate)
        let counts = try segmentation.counts(bytes: length)
        let segments = try segmentation.split(payload)
        let losses = try one.list("reassemble").map { loss in try reassemble(loss, segments, counts.data, payload) }
        try refuseLaterLayout(one)
        let output: JSON = [
            "payload_sha256": sha256(payload), "payload_keccak256": .hex(Keccak256.hash(payload.span)),
            "data_count": JSON(counts.data), "parity_count": JSON(counts.parity),
            "last_data_length": JSON(length - (counts.data - 1) * segmentation.segmentSize),
            "reassemble": .array(losses),
        ]
        return output.adding(
            one.has("segments") ? ["segments": .hexes(segments)] : ["segments_sha256": .array(segments.map(sha256))])
    }

    /// Segments in the later layout of nim-segmentation are recognized (SEG-R6).
    private static func refuseLaterLayout(_ one: Case) throws {
        for bytes in try one.has("segments_nim") ? one.byteLists("segments_nim") : [] {
            do throws(Refusal) {
                _ = try SegmentMessage(decoding: Bytes(bytes))
            } catch {
                if error.outcome == .unsupported { continue }
            }
            throw Problem.differs("a segment of the later layout is not told from ours")
        }
    }

    private static func reassemble(
        _ loss: Case, _ segments: [Bytes], _ dataCount: Int, _ payload: Bytes
    ) throws -> JSON {
        let lost = Set(try loss.ints("lost_data") + loss.ints("lost_parity").map { dataCount + $0 })
        var found: Set<Bool> = []
        let left = segments.indices.filter { !lost.contains($0) }.map { segments[$0] }
        for order in [left, left.reversed()] {
            var (reassembler, isComplete) = (Reassembler(), false)
            for segment in order {
                guard case .complete(let whole) = try reassembler.receive(segment, from: "saro", now: .zero) else {
                    continue
                }
                guard whole == payload else { throw Problem.differs("another payload is put together") }
                isComplete = true
            }
            found.insert(isComplete)
        }
        guard found.count == 1 else { throw Problem.differs("the order of arrival matters") }
        return loss.json.adding(["result": found.contains(true) ? "completes" : "incomplete"])
    }
}

// Making files of these kinds.
extension Kind {
    @Sendable static func fieldFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        func entries(_ count: Int, _ width: Int, _ name: String) -> JSON {
            .array(
                (0..<count).map { number in
                    // No zeros: they have no inverse.
                    .texts(maker.bytes(width, "leopard/\(name)/\(number)").map { hex([max(1, $0)]) } + ["00"])
                })
        }
        let one = draft(
            "gf256", "labels and elements of GF(2^8)",
            [
                "bits": 8, "polynomial": "11d", "digits": 2, "label_to_element": entries(16, 1, "labels"),
                "products": entries(32, 2, "products"), "inverses": entries(16, 1, "inverses"),
            ])
        return [VectorFile("parity_field.json", kind: "leopard-field", profile: "all", cases: [one])]
    }

    @Sendable static func matrixFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        let cases = [(1, 1), (4, 1), (5, 3), (8, 8), (17, 5), (224, 28)].map { data, parity in
            draft(
                "\(data)x\(parity)", "the factors of \(data) data shards in \(parity) of parity",
                [
                    "data_count": JSON(data), "parity_count": JSON(parity), "field": parity == 1 ? "any" : "gf256",
                    "digits": 2,
                ])
        }
        return [VectorFile("parity_matrix.json", kind: "leopard-matrix", profile: "all", cases: cases)]
    }

    @Sendable static func codeFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        func loss(_ data: [Int], _ parity: [Int], whole: Bool) -> JSON {
            let lists: JSON = [
                "lost_data": .array(data.map { JSON($0) }), "lost_parity": .array(parity.map { JSON($0) }),
            ]
            return whole ? lists.adding(["recovered": []]) : lists
        }
        let cases = [(1, 1, 64), (2, 1, 64), (5, 3, 64), (5, 3, 128), (8, 8, 64), (40, 5, 64), (224, 28, 64)].map {
            data, parity, size -> JSON in
            let isWhole = data <= 8
            let most = Array((data - parity)..<data)
            let losses: [JSON] = [
                loss([], [0], whole: false), loss([0], [], whole: isWhole), loss(most, [], whole: isWhole),
                loss([data - 1], Array(1..<parity), whole: isWhole), loss([0], Array(0..<parity), whole: false),
            ]
            let fields: JSON = [
                "data_count": JSON(data), "parity_count": JSON(parity), "shard_size": JSON(size),
                "field": parity == 1 ? "any" : "gf256", "seed": .string("\(maker.seed)/\(data)x\(parity)x\(size)"),
                "decode": JSON.array(losses),
            ]
            return draft(
                "\(data)x\(parity)x\(size)", "any \(data) of \(data + parity) shards give all data (PAR-4)",
                isWhole ? fields.adding(["parity": []]) : fields)
        }
        return [VectorFile("parity.json", kind: "leopard-code", profile: "all", cases: cases)]
    }

    @Sendable static func invalidFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        let faults = [
            (4, 2, 0, "invalid_size"), (4, 2, 63, "invalid_size"), (4, 2, 65, "invalid_size"),
            (4, 0, 64, "invalid_counts"), (4, 5, 64, "invalid_counts"), (0, 0, 64, "invalid_counts"),
        ]
        let cases = faults.map { data, parity, size, result in
            draft(
                "\(data)x\(parity)x\(size)", "one fault: \(result) (PAR-1, PAR-3)",
                [
                    "data_count": JSON(data), "parity_count": JSON(parity), "shard_size": JSON(size),
                    "result": .string(result),
                ])
        }
        return [VectorFile("parity_invalid.json", kind: "leopard-invalid", profile: "all", cases: cases)]
    }

    @Sendable static func paritySegmentFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        func loss(_ data: [Int], _ parity: [Int]) -> JSON {
            ["lost_data": .array(data.map { JSON($0) }), "lost_parity": .array(parity.map { JSON($0) })]
        }
        let sizes = [
            ("empty", 0, 64, 0), ("one", 10, 64, 0), ("three", 150, 64, 0), ("zeros", 300, 64, 70),
            ("many", 3_000, 64, 1),
        ]
        let cases = sizes.map { id, length, size, tail -> JSON in
            let count = max(1, (length + size - 1) / size)
            let last = [loss([], []), loss([count - 1], []), loss([0], [0]), loss([], [0])]
            let fields: JSON = [
                "operation": "segment", "seed": .string("\(maker.seed)/segments/\(id)"), "payload_length": JSON(length),
                "zero_tail": JSON(tail), "segment_size": JSON(size), "parity_rate_millionths": 250_000,
                "field": count <= 4 ? "any" : "gf256",
                "reassemble": JSON.array(last),
            ]
            return draft(
                id, "\(length) bytes, the last \(tail) of them zero (SEG-06)",
                count <= 12 ? fields.adding(["segments": []]) : fields)
        }
        return [VectorFile("parity_segments.json", kind: "leopard-segments", profile: "all", cases: cases)]
    }
}
