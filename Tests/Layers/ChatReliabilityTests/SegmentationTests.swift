import ChatCodec
import ChatCrypto
import ChatModel
import TestSupport
import Testing

@testable import ChatReliability

private func bytes(_ count: Int, seed: UInt64 = 1) -> Bytes {
    var random = SplitMix64(seed: seed)
    return Bytes((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
}

private let now = Timestamp(seconds: 1_000)

/// Fields by number; a number is a varint, bytes are length-delimited.
private func proto(_ fields: [(Int, any Sendable)]) -> Bytes {
    var out: [UInt8] = []
    func varint(_ value: Int) {
        var rest = UInt(value)
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(rest))
    }
    for (number, value) in fields {
        if let value = value as? Int {
            varint(number << 3)
            varint(value)
        } else if let value = value as? [UInt8] {
            varint(number << 3 | 2)
            varint(value.count)
            out += value
        }
    }
    return Bytes(out)
}

private let hash = [UInt8](repeating: 5, count: 32)

struct BadSegments {
    static let contradictions: [(String, [(Int, any Sendable)])] = [
        ("no hash", [(3, 1), (4, [1])]),
        ("a short hash", [(1, [UInt8](repeating: 5, count: 31)), (3, 1), (4, [UInt8(1)])]),
        ("a long hash", [(1, [UInt8](repeating: 5, count: 33)), (3, 1), (4, [UInt8(1)])]),
        ("no data segments", [(1, hash), (4, [UInt8(1)])]),
        ("256 data segments", [(1, hash), (3, 256), (4, [UInt8(1)])]),
        ("254 + 2", [(1, hash), (3, 254), (4, [UInt8(1)]), (6, 2)]),
        ("2³² − 1 of both", [(1, hash), (3, 0xFFFF_FFFF), (4, [UInt8(1)]), (6, 0xFFFF_FFFF)]),
        ("data index = count", [(1, hash), (2, 2), (3, 2), (4, [UInt8(1)])]),
        ("parity index = count", [(1, hash), (3, 2), (4, [UInt8](repeating: 1, count: 64)), (5, 1), (6, 1), (7, 1)]),
        ("parity without a count", [(1, hash), (3, 2), (4, [UInt8](repeating: 1, count: 64)), (7, 1)]),
        (
            "parity with a data index",
            [(1, hash), (2, 1), (3, 2), (4, [UInt8](repeating: 1, count: 64)), (6, 1), (7, 1)]
        ),
        ("data with a parity index", [(1, hash), (3, 2), (4, [UInt8(1)]), (5, 1), (6, 2)]),
        ("parity of 65 bytes", [(1, hash), (3, 2), (4, [UInt8](repeating: 1, count: 65)), (6, 1), (7, 1)]),
        ("empty parity", [(1, hash), (3, 2), (6, 1), (7, 1)]),
        ("more parity than data", [(1, hash), (3, 2), (4, [UInt8](repeating: 1, count: 64)), (6, 3), (7, 1)]),
        ("an empty one of two", [(1, hash), (3, 2)]),
        ("the old form: count 0 means parity", [(1, hash), (3, 0), (4, [UInt8(1)]), (5, 0), (6, 1)]),
    ]

    @Test(arguments: contradictions.indices)
    func `a segment that contradicts itself is invalid and leaves nothing (SEG-07)`(index: Int) throws {
        let (name, fields) = Self.contradictions[index]
        var reassembler = Reassembler()
        let error = #expect(throws: Refusal.self, "\(name)") {
            try reassembler.receive(proto(fields), from: "saro", now: now)
        }
        #expect(error?.outcome == .invalid, "\(name)")
        #expect(reassembler.load == (0, 0) && reassembler.takeChanges().isEmpty)
    }

    @Test func `parity in the wider field is unsupported, and data of the same payload is not (SEG-R5)`() throws {
        let shard = [UInt8](repeating: 1, count: 64)
        var reassembler = Reassembler()
        let error = #expect(throws: Refusal.self) {
            try reassembler.receive(proto([(1, hash), (3, 225), (4, shard), (6, 29), (7, 1)]), from: "saro", now: now)
        }
        #expect(error == Refusal(.unsupported, ReliabilityCause.widerField(data: 225, parity: 29)))
        #expect(
            try reassembler.receive(proto([(1, hash), (3, 225), (4, shard), (6, 29)]), from: "saro", now: now)
                == .waiting(have: 1, of: 225))
    }

    @Test(arguments: [
        "0a20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f10f403180120033a03aabbcc",
        "0a20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f10f4032003280130013a021122",
        "0a20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2001",
    ])
    func `the later message of nim-segmentation is unsupported, not misread (SEG-R6)`(hex: String) throws {
        let error = #expect(throws: Refusal.self) { try SegmentMessage(decoding: Bytes([UInt8](hex: hex))) }
        #expect(error == Refusal(.unsupported, ReliabilityCause.deployedSegmentLayout))
    }

    @Test func `segments that contradict an earlier one of their payload are invalid and change nothing (SEG-R3)`()
        throws
    {
        let parity = [UInt8](repeating: 1, count: 64)
        func segment(_ index: Int, of count: Int, _ payload: [UInt8], parity: Int = 1) -> Bytes {
            proto([(1, hash), (2, index), (3, count), (4, payload), (6, parity)])
        }
        var reassembler = Reassembler()
        _ = try reassembler.receive(segment(1, of: 3, parity), from: "saro", now: now)
        _ = reassembler.takeChanges()
        let load = reassembler.load
        for bad in [
            segment(0, of: 4, parity), segment(0, of: 3, parity, parity: 2), segment(1, of: 3, parity.map { $0 + 1 }),
            segment(0, of: 3, [1]), segment(2, of: 3, parity + [1]), segment(0, of: 3, parity + parity),
            proto([(1, hash), (3, 3), (4, parity + parity), (6, 1), (7, 1)]),
        ] {
            let error = #expect(throws: Refusal.self) { try reassembler.receive(bad, from: "saro", now: now) }
            #expect(error?.outcome == .invalid && error?.cause.code == "malformed")
        }
        #expect(reassembler.load == load && reassembler.takeChanges().isEmpty)
        // Another sender may say otherwise.
        _ = try reassembler.receive(segment(0, of: 4, parity), from: "raya", now: now)
        // The last one first, and then one that is shorter.
        var other = Reassembler()
        _ = try other.receive(segment(2, of: 3, parity), from: "saro", now: now)
        #expect(throws: Refusal.self) { try other.receive(segment(0, of: 3, [1]), from: "saro", now: now) }
    }

    @Test func `segments that do not have their hash are forgotten together (SEG-09)`() throws {
        var reassembler = Reassembler()
        _ = try reassembler.receive(proto([(1, hash), (3, 2), (4, [UInt8(1)])]), from: "saro", now: now)
        #expect(throws: Refusal(.invalid, ReliabilityCause.hashMismatch(segments: 2))) {
            try reassembler.receive(proto([(1, hash), (2, 1), (3, 2), (4, [UInt8(1)])]), from: "saro", now: now)
        }
        var store: [String: Bytes] = [:]
        for record in reassembler.takeChanges() { store[record.key] = record.bytes }
        #expect(reassembler.load == (0, 0) && store.isEmpty)
    }

    @Test func `200,000 hostile inputs are refused or kept within the limits`() throws {
        let valid =
            try Segmentation(segmentSize: 64, parity: .standard).split(bytes(200))
            + Segmentation(segmentSize: 64).split(bytes(30))
        var limits = ReassemblyLimits()
        (limits.payloads, limits.payloadsPerSender, limits.bytesPerSender, limits.finished) = (8, 8, 4_096, 16)
        var reassembler = Reassembler(limits: limits)
        var hostile = HostileInputs(seed: 3, valid: valid.map(\.array))
        var accepted = 0
        hostile.forEach { input in
            do throws(Refusal) {
                _ = try reassembler.receive(Bytes(input), from: "saro", now: now)
                accepted += 1
            } catch { #expect(!error.description.isEmpty) }
            if reassembler.load.payloads > 8 || reassembler.load.bytes > 4_096 { Issue.record("beyond the limits") }
            _ = reassembler.takeChanges()
        }
        #expect(accepted > HostileInputs.usualCount / 200)
    }
}

struct Segments {
    @Test func `the example of the specification has these bytes (SEG-01)`() throws {
        // Specs/segmentation.md
        let segments = try Segmentation(segmentSize: 3).split(Bytes("hello"))
        #expect(
            segments.map(\.array.hex) == [
                "0a201c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac81802220368656c",
                "0a201c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8100118022202" + "6c6f",
            ])
        #expect(
            try Segmentation(segmentSize: 64).split(Bytes("hello")).map(\.array.hex) == [
                "0a201c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac81801220568656c6c6f"
            ])
    }

    @Test func `the known answer of 150 bytes by 64 holds (SEG-02)`() throws {
        let payload = Bytes((0..<150).map { UInt8($0) })
        let segments = try Segmentation(segmentSize: 64).split(payload)
        #expect(segments.map(\.count) == [102, 104, 62])
        #expect(
            segments.map { SHA256.hash($0.span).hex } == [
                "badb57c2229f018e89e64694b2501d02d3864c3225b55c08ac95fdaf0a0351ea",
                "d2bedae494339354070bcf68a5d1d95e98523d2d73e932a86c1238d143a8bb26",
                "7de7a8b570035512e04d85d630301e4e66ba9039157be9a8f96a79582ab26658",
            ])
    }

    @Test(arguments: [(0, 1), (1, 1), (64, 1), (65, 2), (128, 2), (129, 3), (64 * 255, 255)])
    func `a payload becomes as few segments as hold it, an empty one too (SEG-02, SEG-03)`(size: Int, count: Int) throws
    {
        let payload = bytes(size)
        let segments = try Segmentation(segmentSize: 64).split(payload, headRoom: 10)
        #expect(segments.count == count)
        var reassembler = Reassembler()
        for (index, segment) in segments.enumerated() {
            let outcome = try reassembler.receive(segment, from: "saro", now: now)
            #expect(outcome == (index == count - 1 ? .complete(payload) : .waiting(have: index + 1, of: count)))
        }
        #expect(reassembler.load == (0, 0))
    }

    @Test func `a payload that needs more than 255 segments is refused with numbers (SEG-07, PV1-01)`() throws {
        #expect(throws: Refusal(.unable, ReliabilityCause.tooManySegments(256, limit: 255))) {
            try Segmentation(segmentSize: 64).split(bytes(64 * 255 + 1))
        }
        let coded = try Segmentation(segmentSize: 64, parity: .standard)
        #expect(try coded.split(bytes(64 * 224)).count == 252)
        #expect(throws: Refusal(.unable, ReliabilityCause.widerField(data: 225, parity: 29))) {
            try coded.split(bytes(64 * 225))
        }
        #expect(throws: Refusal(.unable, ReliabilityCause.tooManySegments(256, limit: 255))) {
            try coded.split(bytes(64 * 227))
        }
        #expect(throws: Refusal.self) { try Segmentation(segmentSize: 0) }
        #expect(throws: Refusal.self) { try Segmentation(segmentSize: 65, parity: .standard) }
    }

    @Test func `a single segment is written in front of a payload that has the room`() throws {
        let payload = Bytes(headRoom: 64 + 20, count: 5) { for byte in UInt8(1)...5 { $0.append(byte) } }
        let segments = try Segmentation(segmentSize: 64).split(payload, headRoom: 20)
        #expect(try SegmentMessage(decoding: segments[0]).payload == [1, 2, 3, 4, 5])
        #expect(payload == [1, 2, 3, 4, 5])
    }

    @Test func `any order, repeats and losses within the parity give the payload once (SEG-08, SEG-10)`() throws {
        var random = SplitMix64(seed: 5)
        for round in 0..<100 {
            let parity = round % 2 == 0 ? Segmentation.ParityRate(millionths: 1 + random.below(500_000)) : nil
            let segmentation = try Segmentation(segmentSize: 64, parity: parity)
            let payload = bytes(random.below(3_000), seed: random.next())
            let counts = try segmentation.counts(bytes: payload.count)
            var segments = try segmentation.split(payload).shuffled(using: &random)
            segments.removeLast(random.below(counts.parity + 1))
            var reassembler = Reassembler()
            var completed: [Bytes] = []
            for segment in segments.flatMap({ [$0, $0] }) + segments {
                let outcome = try reassembler.receive(segment, from: "saro", now: now)
                if case .complete(let whole) = outcome { completed.append(whole) }
            }
            #expect(completed == [payload])
            #expect(reassembler.load == (0, 0))
        }
    }

    @Test(arguments: [0, 1, 5, 63, 64])
    func `the length of a recovered last segment is found by the hash (SEG-R4)`(zeros: Int) throws {
        let payload = Bytes(bytes(64 + 64 - zeros).array + [UInt8](repeating: 0, count: zeros))
        for count in [payload.count, max(65, payload.count - 20)] {
            let part = payload.slice(0..<count)
            let segments = try Segmentation(segmentSize: 64, parity: .standard).split(part)
            var reassembler = Reassembler()
            #expect(try reassembler.receive(segments[0], from: "saro", now: now) == .waiting(have: 1, of: 2))
            #expect(try reassembler.receive(segments[2], from: "saro", now: now) == .complete(part))
        }
    }

    @Test func `a parity segment that is wrong is noticed by the hash (SEG-09)`() throws {
        let segments = try Segmentation(segmentSize: 64, parity: .standard).split(bytes(128))
        var bad = segments[2].array
        bad[50] ^= 1
        var reassembler = Reassembler()
        _ = try reassembler.receive(segments[0], from: "saro", now: now)
        #expect(throws: Refusal.self) { try reassembler.receive(Bytes(bad), from: "saro", now: now) }
        #expect(reassembler.load == (0, 0))
    }

    @Test func `a sender beyond the limits loses the oldest of their own, and nobody else does (SEG-12)`() throws {
        var limits = ReassemblyLimits()
        (limits.payloadsPerSender, limits.bytesPerSender) = (3, 1_000)
        (limits.payloads, limits.bytes) = (5, 2_000)
        var reassembler = Reassembler(limits: limits)
        func begin(_ seed: UInt64, _ sender: String, size: Int = 100) throws {
            let segments = try Segmentation(segmentSize: size).split(bytes(2 * size, seed: seed))
            _ = try reassembler.receive(segments[0], from: sender, now: Timestamp(seconds: Int(seed)))
        }
        try begin(1, "raya")
        for seed in UInt64(2)...5 { try begin(seed, "saro") }
        var gone = reassembler.sweep(now: .zero)
        #expect(gone.map(\.sender) == ["saro"] && gone.first?.have == 1 && gone.first?.of == 2)
        #expect(reassembler.load.payloads == 4)
        try begin(6, "saro", size: 800)
        gone = reassembler.sweep(now: .zero)
        #expect(gone.map(\.sender) == ["saro", "saro", "saro"])
        #expect(throws: Refusal.self) { try begin(7, "pax", size: 1_001) }
        for seed in UInt64(8)...11 { try begin(seed, "pax", size: 200) }
        #expect(reassembler.load.payloads == 5 && reassembler.load.bytes <= 2_000)
        #expect(reassembler.sweep(now: .zero).map(\.sender) == ["pax"])
        // Somebody new: the heaviest makes room.
        try begin(12, "mia")
        #expect(reassembler.sweep(now: .zero).map(\.sender) == ["saro"])
        // Raya's is still there, although it is the oldest of all.
        let segments = try Segmentation(segmentSize: 100).split(bytes(200, seed: 1))
        #expect(try reassembler.receive(segments[1], from: "raya", now: now) == .complete(bytes(200, seed: 1)))
    }

    @Test func `a payload without a new segment is given up after the time, and named (SEG-12)`() throws {
        let segments = try Segmentation(segmentSize: 64).split(bytes(150))
        var reassembler = Reassembler()
        #expect(reassembler.nextSweep == nil)
        _ = try reassembler.receive(segments[0], from: "saro", now: now)
        _ = try reassembler.receive(segments[1], from: "saro", now: now + .seconds(100))
        #expect(reassembler.nextSweep == now + .seconds(700))
        #expect(reassembler.sweep(now: now + .seconds(699)).isEmpty)
        let gone = reassembler.sweep(now: now + .seconds(700))
        #expect(gone.map(\.hash) == [Bytes(Keccak256.hash(bytes(150).span))])
        #expect(gone.first?.sender == "saro" && gone.first?.have == 2 && gone.first?.of == 3)
        #expect(reassembler.load == (0, 0) && reassembler.sweep(now: now + .seconds(800)).isEmpty)
    }
}

struct ReassemblerRecords {
    @Test func `unfinished and finished payloads survive a restart at every segment (SEG-10)`() throws {
        let payload = bytes(1_000)
        var store: [String: Bytes] = [:]
        var reassembler = Reassembler()
        var segments = try Segmentation(segmentSize: 64, parity: .standard).split(payload)
        segments.removeSubrange(3...4)
        var completed = 0
        for (index, segment) in segments.reversed().enumerated() {
            if case .complete(payload) = try reassembler.receive(segment, from: "saro", now: now) { completed += 1 }
            for record in reassembler.takeChanges() { store[record.key] = record.bytes }
            let load = reassembler.load
            reassembler = try Reassembler(restoring: store.map { Record($0, $1) })
            #expect(reassembler.load == load && reassembler.takeChanges().isEmpty, "after \(index)")
        }
        #expect(completed == 1)
        #expect(store.keys.sorted() == ["finished/0"])
        #expect(try reassembler.receive(segments[0], from: "saro", now: now) == .repeated)
    }

    @Test func `pieces of two cuts of a payload stay apart over a restart, and whole is whole (SEG-R8)`() throws {
        let payload = bytes(1_000)
        let (old, new) = (
            try Segmentation(segmentSize: 500).split(payload), try Segmentation(segmentSize: 334).split(payload)
        )
        var store: [String: Bytes] = [:]
        var reassembler = Reassembler(limits: .behindSDS)
        for (index, segment) in [new[0], old[1], new[1], new[2]].enumerated() {
            let outcome = try reassembler.receive(segment, from: "saro", now: now)
            #expect((outcome == .complete(payload)) == (index == 3))
            for record in reassembler.takeChanges() { store[record.key] = record.bytes }
            reassembler = try Reassembler(restoring: store.map { Record($0, $1) }, limits: .behindSDS)
        }
        #expect(reassembler.load.payloads == 0, "nothing is left of the old cut")
    }

    @Test func `the memory of finished payloads is bounded, in records too (SEG-12)`() throws {
        var limits = ReassemblyLimits()
        limits.finished = 3
        var store: [String: Bytes] = [:]
        var reassembler = Reassembler(limits: limits)
        for seed in UInt64(1)...10 {
            _ = try reassembler.receive(
                Segmentation(segmentSize: 64).split(bytes(10, seed: seed))[0], from: "saro", now: now)
            for record in reassembler.takeChanges() { store[record.key] = record.bytes }
        }
        #expect(store.keys.sorted() == ["finished/7", "finished/8", "finished/9"])
        reassembler = try Reassembler(restoring: store.map { Record($0, $1) }, limits: limits)
        let segments = try [7, 8].map { try Segmentation(segmentSize: 64).split(bytes(10, seed: $0))[0] }
        #expect(try reassembler.receive(segments[0], from: "saro", now: now) == .complete(bytes(10, seed: 7)))
        for record in reassembler.takeChanges() { store[record.key] = record.bytes }
        #expect(store.keys.sorted() == ["finished/10", "finished/8", "finished/9"])
    }

    @Test func `records of another version or form are refused`() throws {
        var reassembler = Reassembler()
        _ = try reassembler.receive(Segmentation(segmentSize: 64).split(bytes(100))[0], from: "saro", now: now)
        let record = try #require(reassembler.takeChanges().first)
        let good = try #require(record.bytes?.array)
        for (key, bytes) in [
            (record.key, [2] + good.dropFirst()), (record.key, []), (record.key, Array(good.dropLast())),
            ("else/0", good),
            ("segment/x/0", good), ("segment/0", good), ("finished/", good),
        ] as [(String, [UInt8])] {
            #expect(throws: Refusal.self, "\(key)") { try Reassembler(restoring: [Record(key, Bytes(bytes))]) }
        }
        #expect(throws: Refusal.self) { try Reassembler(restoring: [record, record]) }
    }
}
