import ChatCrypto
import ChatModel
@testable import ChatReliability
import TestSupport
import Testing

@Test(arguments: [(0, 1), (4, 0), (4, 5), (1, 2), (-3, 2), (256, 1), (Int.max, 2), (300, 300), (225, 29), (129, 65)])
func `counts without a code are refused, and those that would change the field (PAR-1, PAR-2)`(data: Int, parity: Int) {
    let error = #expect(throws: Refusal.self) { try ParityCode(dataCount: data, parityCount: parity) }
    #expect(["invalid_counts", "unsupported"].contains(error?.cause.code))
}

@Test func `shards that do not fit are refused (PAR-3)`() throws {
    let code = try ParityCode(dataCount: 2, parityCount: 1)
    let shard = Bytes([UInt8](repeating: 7, count: 64))
    for size in [-64, 0, 1, 63, 65, 96] {
        #expect(throws: Refusal(.invalid, ReliabilityCause.shardSize(size))) {
            try code.encode([shard, shard], shardSize: size)
        }
    }
    #expect(throws: Refusal.self) { try code.encode([shard], shardSize: 64) }
    #expect(throws: Refusal.self) { try code.encode([shard, Bytes([UInt8](repeating: 0, count: 65))], shardSize: 64) }
    #expect(throws: Refusal.self) { try code.recover(data: [nil, shard], parity: [], shardSize: 64) }
    #expect(throws: Refusal(.unable, ReliabilityCause.tooManyLost(2, parity: 1))) {
        try code.recover(data: [nil, nil], parity: [shard], shardSize: 64)
    }
}

@Test func `the example of the specification has these bytes`() throws {
    // Specs/parity.md
    let data = (0..<5).map { row in Bytes((0..<64).map { UInt8(truncatingIfNeeded: 16 * row + $0) }) }
    let parity = try ParityCode(dataCount: 5, parityCount: 3).encode(data, shardSize: 64)
    #expect(
        parity.map { Array($0.array.prefix(8)).hex } == ["b5bab3bcbeb1b8b7", "818b8f858882868c", "7d717a7678747f73"])
}

@Test func `the matrix in one formula is what the transforms compute`() throws {
    for (data, parity) in [(1, 1), (2, 2), (5, 3), (17, 3), (31, 16), (224, 28), (128, 128)] {
        let code = try ParityCode(dataCount: data, parityCount: parity)
        var points = 1
        while points < parity { points *= 2 }
        for index in Set([0, 1, data / 2, data - 1]) where index < data {
            var shards = [Bytes](repeating: [], count: data)
            shards[index] = Bytes([UInt8](repeating: 1, count: 64))
            let row = try code.encode(shards, shardSize: 64).map { $0[0] }
            let expected = (0..<parity).map { other in
                let point = UInt8(points + index)
                return LabelField.divide(
                    point >> UInt8(points.trailingZeroBitCount), by: point ^ UInt8(other))
            }
            #expect(row == expected, "\(data)+\(parity), shard \(index)")
        }
    }
}

@Test func `whatever is lost, as many parity shards give it back (PAR-4)`() throws {
    var random = SplitMix64(seed: 8)
    for _ in 0..<60 {
        let data = 1 + random.below(60)
        let parity = 1 + random.below(min(data, 20))
        let code = try ParityCode(dataCount: data, parityCount: parity)
        let size = 64 * (1 + random.below(10))
        var shards = (0..<data).map { _ in Bytes((0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }) }
        let last = shards[data - 1].slice(0..<random.below(size + 1))
        shards[data - 1] = last
        let more = try code.encode(shards, shardSize: size)
        let lost = Set((0..<random.below(parity + 1)).map { _ in random.below(data) })
        let there = Set((0..<parity).shuffled(using: &random).prefix(lost.count))
        let recovered = try code.recover(
            data: shards.enumerated().map { lost.contains($0) ? nil : $1 },
            parity: more.enumerated().map { there.contains($0) ? $1 : nil }, shardSize: size)
        #expect(Set(recovered.map(\.index)) == lost)
        for (index, shard) in recovered {
            let padded = shards[index].array + [UInt8](repeating: 0, count: size - shards[index].count)
            #expect(shard == Bytes(padded))
        }
    }
}

struct LeopardVectors {
    @Test(arguments: ["leopard/small.json", "leopard/large.json", "leopard/gf65536.json"])
    func `parity and recovery are those of Leopard, byte for byte (SEG-06)`(file: String) throws {
        try Vectors.run(file) { one in
            let (dataCount, parityCount) = (try one.number("data_count"), try one.number("parity_count"))
            if try one.text("field") == "gf65536" {
                let error = #expect(throws: Refusal.self) {
                    try ParityCode(dataCount: dataCount, parityCount: parityCount)
                }
                #expect(error?.outcome == .unsupported, "\(one)")
                return
            }
            let code = try ParityCode(dataCount: dataCount, parityCount: parityCount)
            let (size, seed) = (try one.number("shard_size"), try one.text("seed"))
            let data = (0..<dataCount).map { Bytes(leopardShard(seed, $0, size)) }
            let parity = try code.encode(data, shardSize: size)
            if one.has("parity") {
                #expect(try parity.map(\.array.hex) == one.texts("parity"), "\(one)")
            } else {
                #expect(try parity.map { SHA256.hash($0.span).hex } == one.texts("parity_sha256"), "\(one)")
            }
            for decode in try one.list("decode") { try check(decode, code, data, parity, size) }
        }
    }

    private func check(_ one: Vector, _ code: ParityCode, _ data: [Bytes], _ parity: [Bytes], _ size: Int) throws {
        let lostData = try one.list("lost_data").map { try $0.integer() }
        let lostParity = try one.list("lost_parity").map { try $0.integer() }
        func recover() throws -> [(index: Int, shard: Bytes)] {
            try code.recover(
                data: data.enumerated().map { lostData.contains($0) ? nil : $1 },
                parity: parity.enumerated().map { lostParity.contains($0) ? nil : $1 }, shardSize: size)
        }
        switch try one.text("result") {
        case "complete": #expect(try recover().isEmpty, "\(one)")
        case "need_more_data": #expect(throws: Refusal.self, "\(one)") { try recover() }
        default:
            let recovered = try recover()
            #expect(recovered.map(\.index) == lostData, "\(one)")
            for (index, shard) in recovered { #expect(shard == data[index], "\(one)") }
        }
    }

    @Test func `what the encoder of Leopard refuses is refused here (PAR-1, PAR-3)`() throws {
        try Vectors.run("leopard/invalid.json") { one in
            let error = #expect(throws: Refusal.self, "\(one)") {
                let code = try ParityCode(
                    dataCount: try one.number("data_count"), parityCount: try one.number("parity_count"))
                let shards = [Bytes](repeating: [], count: try one.number("data_count"))
                _ = try code.encode(shards, shardSize: try one.number("shard_size"))
            }
            let expected = try one.text("result")
            #expect(error?.cause.code == expected, "\(one)")
        }
    }

    @Test func `the generator matrix is that of Leopard (SEG-06)`() throws {
        try Vectors.run("leopard/matrix.json", only: { try $0.number("digits") == 2 }) { one in
            let (dataCount, parityCount) = (try one.number("data_count"), try one.number("parity_count"))
            let code = try ParityCode(dataCount: dataCount, parityCount: parityCount)
            // Every shard is a unit at its own symbol, so parity shard j holds row j.
            let size = (dataCount + 63) / 64 * 64
            let units = (0..<dataCount).map { index in
                Bytes((0..<size).map { $0 == index ? 1 : 0 })
            }
            let rows = try code.encode(units, shardSize: size).map { Array($0.array.prefix(dataCount)).hex }
            #expect(try rows == one.texts("rows"), "\(one)")
        }
    }

    @Test func `products, inverses and elements are those of Leopard's labels (SEG-06)`() throws {
        try Vectors.run("leopard/field.json", only: { try $0.number("bits") == 8 }) { one in
            for pair in try one.list("label_to_element") {
                let values = try pair.list().map { try $0.bytes()[0] }
                #expect(LabelField.element(values[0]) == values[1], "\(pair)")
            }
            for product in try one.list("products") {
                let values = try product.list().map { try $0.bytes()[0] }
                #expect(LabelField.multiply(values[0], values[1]) == values[2], "\(product)")
            }
            for inverse in try one.list("inverses") {
                let values = try inverse.list().map { try $0.bytes()[0] }
                #expect(LabelField.divide(1, by: values[0]) == values[1], "\(inverse)")
            }
        }
    }
}

struct ParityWorkTests {
    /// A payload that ends in zeros, of which parity is to give the last of its segments.
    private func segments(zeros: Int) throws -> (payload: Bytes, data: [Bytes], parity: [Bytes]) {
        let payload = Bytes([UInt8](repeating: 7, count: 30_000) + [UInt8](repeating: 0, count: zeros))
        let all = try Segmentation(segmentSize: 25_600, parity: Segmentation.ParityRate(millionths: 1_000_000)).split(
            payload)
        return (payload, Array(all.prefix(all.count / 2)), Array(all.suffix(all.count / 2)))
    }

    @Test func `zeros at the end are counted up to a bound, and beyond it the last segment is waited for (SEG-R4)`()
        throws
    {
        var few = Reassembler()
        let short = try segments(zeros: 4_000)
        _ = try few.receive(short.data[0], from: "saro", now: .zero)
        #expect(try few.receive(short.parity[0], from: "saro", now: .zero) == .complete(short.payload))

        var many = Reassembler()
        let long = try segments(zeros: 9_000)
        _ = try many.receive(long.data[0], from: "saro", now: .zero)
        #expect(try many.receive(long.parity[0], from: "saro", now: .zero) == .waiting(have: 1, of: 2))
        #expect(try many.receive(long.parity[1], from: "saro", now: .zero) == .waiting(have: 1, of: 2))
        #expect(try many.receive(long.data[1], from: "saro", now: .zero) == .complete(long.payload))
    }

    @Test func `all-zero parity costs no more than so many hash steps (SEG-R4)`() throws {
        // One data segment that is lost, and parity of zeros as large as it may be.
        let message = SegmentMessage(
            hash: Bytes([UInt8](repeating: 1, count: 32)), place: .parity(0), dataCount: 1, parityCount: 1,
            payload: Bytes([UInt8](repeating: 0, count: Reassembler.maximumShard)))
        var machine = Reassembler()
        let before = ContinuousClock.now
        for sender in 0..<10 {
            #expect(try machine.receive(message.encoded(), from: "\(sender)", now: .zero) == .waiting(have: 0, of: 1))
        }
        // 153,600 steps each took a quarter of a second in a debug build.
        #expect(ContinuousClock.now - before < .seconds(30))
    }
}
