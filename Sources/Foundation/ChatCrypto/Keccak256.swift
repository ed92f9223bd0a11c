/// Keccak-256 with the original padding byte 0x01, which is not SHA3-256; libsodium has neither.
///
/// The permutation is written out over 25 local words, so that they stay in registers. Not for
/// secrets: the state is not wiped.
public enum Keccak256 {
    /// Bytes of a digest.
    public static let digestSize = 32

    /// The digest of some bytes.
    public static func hash(_ bytes: Span<UInt8>) -> [UInt8] {
        var hasher = Hasher()
        hasher.absorb(bytes)
        return hasher.digest
    }

    /// The digest of some bytes.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] { hash(bytes.span) }

    /// Takes in bytes part by part; a copy goes on by itself from where it was made.
    public struct Hasher: Sendable {
        /// Bytes that are taken in at once.
        private static let rate = 136
        private var state = State()
        /// The beginning of the next block.
        private var block = InlineArray<136, UInt8>(repeating: 0)
        private var filled = 0

        /// Begins with no bytes.
        public init() {}

        /// Takes in more bytes.
        public mutating func absorb(_ bytes: Span<UInt8>) {
            var offset = 0
            if filled > 0 {
                offset = min(Self.rate - filled, bytes.count)
                fill(bytes.extracting(..<offset))
                guard filled == Self.rate else { return }
                absorbBlock()
            }
            let start = unsafe UnsafeRawPointer(bytes.start)
            while bytes.count - offset >= Self.rate {
                unsafe state.absorb(start + offset)
                offset += Self.rate
            }
            fill(bytes.extracting(offset...))
        }

        /// The digest of the bytes so far; more may follow.
        public var digest: [UInt8] {
            var last = self
            for index in filled..<Self.rate { last.block[index] = 0 }
            last.block[filled] = 0x01
            last.block[Self.rate - 1] |= 0x80
            last.absorbBlock()
            return last.state.digest
        }

        private mutating func fill(_ bytes: Span<UInt8>) {
            for index in bytes.indices { block[filled + index] = bytes[index] }
            filled += bytes.count
        }

        private mutating func absorbBlock() {
            let bytes = block.span
            unsafe state.absorb(UnsafeRawPointer(bytes.start))
            filled = 0
        }
    }
}

private let roundConstants: [24 of UInt64] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
    0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
]

/// Five rows of five lanes: `a` to `e` are y = 0 to 4, the digits x.
private struct State {
    private var (a0, a1, a2, a3, a4): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
    private var (b0, b1, b2, b3, b4): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
    private var (c0, c1, c2, c3, c4): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
    private var (d0, d1, d2, d3, d4): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
    private var (e0, e1, e2, e3, e4): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)

    /// The first four lanes, little-endian.
    var digest: [UInt8] {
        [UInt8](capacity: Keccak256.digestSize) { output in
            let lanes: InlineArray = [a0, a1, a2, a3]
            for index in lanes.indices {
                for shift in stride(from: UInt64(0), to: 64, by: 8) {
                    output.append(UInt8(truncatingIfNeeded: lanes[index] >> shift))
                }
            }
        }
    }

    /// Takes in 136 bytes.
    @unsafe mutating func absorb(_ block: UnsafeRawPointer) {
        @inline(__always) func lane(_ index: Int) -> UInt64 {
            unsafe UInt64(littleEndian: block.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        }
        a0 ^= lane(0); a1 ^= lane(1); a2 ^= lane(2); a3 ^= lane(3); a4 ^= lane(4)
        b0 ^= lane(5); b1 ^= lane(6); b2 ^= lane(7); b3 ^= lane(8); b4 ^= lane(9)
        c0 ^= lane(10); c1 ^= lane(11); c2 ^= lane(12); c3 ^= lane(13); c4 ^= lane(14)
        d0 ^= lane(15); d1 ^= lane(16)
        permute()
    }

    private mutating func permute() {
        var (a0, a1, a2, a3, a4) = (a0, a1, a2, a3, a4)
        var (b0, b1, b2, b3, b4) = (b0, b1, b2, b3, b4)
        var (c0, c1, c2, c3, c4) = (c0, c1, c2, c3, c4)
        var (d0, d1, d2, d3, d4) = (d0, d1, d2, d3, d4)
        var (e0, e1, e2, e3, e4) = (e0, e1, e2, e3, e4)
        for round in roundConstants.indices {
            // θ: every lane is mixed with two neighbouring columns.
            let x0 = a0 ^ b0 ^ c0 ^ d0 ^ e0
            let x1 = a1 ^ b1 ^ c1 ^ d1 ^ e1
            let x2 = a2 ^ b2 ^ c2 ^ d2 ^ e2
            let x3 = a3 ^ b3 ^ c3 ^ d3 ^ e3
            let x4 = a4 ^ b4 ^ c4 ^ d4 ^ e4
            let (t0, t1, t2) = (x4 ^ rotate(x1, 1), x0 ^ rotate(x2, 1), x1 ^ rotate(x3, 1))
            let (t3, t4) = (x2 ^ rotate(x4, 1), x3 ^ rotate(x0, 1))
            // ρ and π: lanes turn and change places; then χ, the only step that is not linear, and ι.
            let (p0, p1, p2) = (a0 ^ t0, rotate(b1 ^ t1, 44), rotate(c2 ^ t2, 43))
            let (p3, p4) = (rotate(d3 ^ t3, 21), rotate(e4 ^ t4, 14))
            let (q0, q1, q2) = (rotate(a3 ^ t3, 28), rotate(b4 ^ t4, 20), rotate(c0 ^ t0, 3))
            let (q3, q4) = (rotate(d1 ^ t1, 45), rotate(e2 ^ t2, 61))
            let (r0, r1, r2) = (rotate(a1 ^ t1, 1), rotate(b2 ^ t2, 6), rotate(c3 ^ t3, 25))
            let (r3, r4) = (rotate(d4 ^ t4, 8), rotate(e0 ^ t0, 18))
            let (s0, s1, s2) = (rotate(a4 ^ t4, 27), rotate(b0 ^ t0, 36), rotate(c1 ^ t1, 10))
            let (s3, s4) = (rotate(d2 ^ t2, 15), rotate(e3 ^ t3, 56))
            let (u0, u1, u2) = (rotate(a2 ^ t2, 62), rotate(b3 ^ t3, 55), rotate(c4 ^ t4, 39))
            let (u3, u4) = (rotate(d0 ^ t0, 41), rotate(e1 ^ t1, 2))
            (a0, a1) = (p0 ^ (~p1 & p2) ^ roundConstants[round], p1 ^ (~p2 & p3))
            (a2, a3, a4) = (p2 ^ (~p3 & p4), p3 ^ (~p4 & p0), p4 ^ (~p0 & p1))
            (b0, b1) = (q0 ^ (~q1 & q2), q1 ^ (~q2 & q3))
            (b2, b3, b4) = (q2 ^ (~q3 & q4), q3 ^ (~q4 & q0), q4 ^ (~q0 & q1))
            (c0, c1) = (r0 ^ (~r1 & r2), r1 ^ (~r2 & r3))
            (c2, c3, c4) = (r2 ^ (~r3 & r4), r3 ^ (~r4 & r0), r4 ^ (~r0 & r1))
            (d0, d1) = (s0 ^ (~s1 & s2), s1 ^ (~s2 & s3))
            (d2, d3, d4) = (s2 ^ (~s3 & s4), s3 ^ (~s4 & s0), s4 ^ (~s0 & s1))
            (e0, e1) = (u0 ^ (~u1 & u2), u1 ^ (~u2 & u3))
            (e2, e3, e4) = (u2 ^ (~u3 & u4), u3 ^ (~u4 & u0), u4 ^ (~u0 & u1))
        }
        (self.a0, self.a1, self.a2, self.a3, self.a4) = (a0, a1, a2, a3, a4)
        (self.b0, self.b1, self.b2, self.b3, self.b4) = (b0, b1, b2, b3, b4)
        (self.c0, self.c1, self.c2, self.c3, self.c4) = (c0, c1, c2, c3, c4)
        (self.d0, self.d1, self.d2, self.d3, self.d4) = (d0, d1, d2, d3, d4)
        (self.e0, self.e1, self.e2, self.e3, self.e4) = (e0, e1, e2, e3, e4)
    }
}

@inline(__always) private func rotate(_ lane: UInt64, _ count: UInt64) -> UInt64 {
    lane &<< count | lane &>> (64 - count)
}
