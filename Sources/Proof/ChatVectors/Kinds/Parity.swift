import ChatCodec
import ChatCrypto
import ChatModel
import ChatReliability

// Kinds `leopard-field`, `leopard-matrix`, `leopard-code` and `leopard-invalid`: parity of shards.
extension Kind {
    /// Which basis somebody's tables have says nothing of ours, as long as labels and elements agree.
    static let parityField = Kind(
        name: "leopard-field", run: computeField, files: fieldFiles, optional: ["cantor_basis"])
    static let parityMatrix = Kind(name: "leopard-matrix", run: computeMatrix, files: matrixFiles)
    static let parityCode = Kind(name: "leopard-code", run: computeCode, files: codeFiles)
    static let parityInvalid = Kind(name: "leopard-invalid", run: refuseCode, files: invalidFiles)

    /// The deployed library leaves GF(2⁸) for some counts; this package refuses those (PAR-2).
    static func requireSmallField(_ one: Case) throws {
        let field = one.has("field") ? try one.text("field") : "any"
        guard ["gf256", "any"].contains(field) else { throw Problem.notApplicable("field \(field)") }
        guard try !one.has("bits") || one.int("bits") == 8 else { throw Problem.notApplicable("GF(2^16)") }
        if one.has("digits") { try expect("digits", 2, .integer(Int64(one.int("digits")))) }
        if one.has("polynomial") { try expect("polynomial", "11d", .string(one.text("polynomial"))) }
    }

    private static func computeField(_ one: Case) async throws -> JSON {
        try requireSmallField(one)
        func triple(_ key: String, labels count: Int = 1, _ last: ([UInt8]) -> UInt8) throws -> JSON {
            .array(
                try one.list(key).map { entry in
                    let texts = try Case(json: ["entry": entry.json]).texts("entry")
                    let labels = try texts.dropLast().flatMap { try Case.bytes($0, key) }
                    guard labels.count == count, texts.count == count + 1 else {
                        throw Problem.unreadable("an entry of \(key) has \(texts.count - 1) labels, not \(count)")
                    }
                    return .texts(texts.dropLast() + [Hex.encode([last(labels)])])
                })
        }
        return [
            "label_to_element": try triple("label_to_element") { LabelField.element($0[0]) },
            "products": try triple("products", labels: 2) { LabelField.multiply($0[0], $0[1]) },
            "inverses": try triple("inverses") { LabelField.divide(1, by: $0[0]) },
        ]
    }

    private static func computeMatrix(_ one: Case) async throws -> JSON {
        try requireSmallField(one)
        let count = try one.int("data_count")
        let code = try ParityCode(dataCount: count, parityCount: one.int("parity_count"))
        // Every shard is a unit at its own symbol, so parity shard j holds row j.
        let size = (count + 63) / 64 * 64
        let units = (0..<count).map { index in Bytes((0..<size).map { $0 == index ? 1 : 0 }) }
        return ["rows": .hexes(try code.encode(units, shardSize: size).map { $0.slice(0..<count) })]
    }

    /// A shard of a file: SHA-256 over the seed, the shard's number and the block's, as far as needed.
    static func shard(_ seed: String, _ index: Int, _ size: Int) -> Bytes {
        let blocks = (0..<max(0, size + 31) / 32).map { block in
            SHA256.hash((Array(seed.utf8) + UInt32(index).bigEndianBytes + UInt32(block).bigEndianBytes).span)
        }
        return Bytes(Array(blocks.joined().prefix(size)))
    }

    static func sha256(_ bytes: Bytes) -> JSON { .hex(SHA256.hash(bytes.span)) }

    private static func computeCode(_ one: Case) async throws -> JSON {
        try requireSmallField(one)
        let code = try ParityCode(dataCount: one.int("data_count"), parityCount: one.int("parity_count"))
        let (seed, size) = (try one.text("seed"), try one.int("shard_size"))
        guard 0...(1 << 20) ~= size else { throw Problem.unreadable("shards of \(size) bytes") }
        let data = (0..<code.dataCount).map { shard(seed, $0, size) }
        let parity = try code.encode(data, shardSize: size)
        let whole = Bytes(data.flatMap(\.array))
        var output: JSON = ["data_sha256": sha256(whole)]
        output = output.adding(
            one.has("parity") ? ["parity": .hexes(parity)] : ["parity_sha256": .array(parity.map(sha256))])
        let decodes = try one.list("decode").map { loss in try recover(loss, code, data, parity, size) }
        return output.adding(["decode": .array(decodes)])
    }

    private static func recover(
        _ loss: Case, _ code: ParityCode, _ data: [Bytes], _ parity: [Bytes], _ size: Int
    ) throws -> JSON {
        let (lostData, lostParity) = (Set(try loss.ints("lost_data")), Set(try loss.ints("lost_parity")))
        let inputs = (["lost_data": loss.json["lost_data"] ?? .null] as JSON)
            .adding(["lost_parity": loss.json["lost_parity"] ?? .null])
        let found: [(index: Int, shard: Bytes)]
        do throws(Refusal) {
            found = try code.recover(
                data: data.enumerated().map { lostData.contains($0) ? nil : $1 },
                parity: parity.enumerated().map { lostParity.contains($0) ? nil : $1 }, shardSize: size)
        } catch {
            guard case .tooManyLost = error.cause as? ReliabilityCause else { throw error }
            return inputs.adding(["result": "need_more_data"])
        }
        guard !found.isEmpty else { return inputs.adding(["result": "complete"]) }
        let isWhole = loss.has("recovered")
        let list = found.map { entry -> JSON in
            let value: JSON = isWhole ? ["shard": .hex(entry.shard)] : ["sha256": sha256(entry.shard)]
            return (["index": JSON(entry.index)] as JSON).adding(value)
        }
        let recovered: JSON = isWhole ? ["recovered": .array(list)] : ["recovered_sha256": .array(list)]
        return inputs.adding(["result": "recovered"]).adding(recovered)
    }

    private static func refuseCode(_ one: Case) async throws -> JSON {
        let count = try one.int("data_count")
        guard 0...65_536 ~= count else { throw Problem.unreadable("data_count") }
        let size = try one.int("shard_size")
        do {
            let code = try ParityCode(dataCount: count, parityCount: one.int("parity_count"))
            _ = try code.encode([Bytes](repeating: [], count: count), shardSize: size)
        } catch {
            guard let refused = Refused(error) else { throw error }
            return ["result": .string(refused.code)]
        }
        throw Problem.differs("encoded, the file has \(one.result)")
    }
}
