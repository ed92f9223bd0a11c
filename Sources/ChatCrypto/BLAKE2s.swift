public import ChatModel

/// BLAKE2s (RFC 7693) with a digest of 32 bytes; libsodium has none.
///
/// Four words of a row are worked on at once. Arithmetic wraps, as the function is defined; there are
/// neither branches nor look-ups that depend on the input.
public enum BLAKE2s {
    /// Bytes of a digest.
    public static let digestSize = 32
    /// Keys that it takes, in bytes.
    public static let keySizes = 1...32

    /// The digest of some bytes without a key.
    public static func hash(_ bytes: Span<UInt8>) -> [UInt8] { HashFunction.blake2s256.hash(bytes) }

    /// The digest of what a closure feeds in, part by part.
    public static func hash(_ feed: (inout HashInput) -> Void) -> [UInt8] { HashFunction.blake2s256.hash(feed) }

    /// The digest of some bytes under a key: a message authentication code.
    ///
    /// - Parameter key: within ``keySizes``.
    public static func authenticate(_ bytes: Span<UInt8>, key: Secret) -> Secret {
        precondition(keySizes.contains(key.count), "BLAKE2s takes no key of \(key.count) bytes")
        return Secret(count: digestSize) { digest in
            unsafe HashFunction.blake2s256.withState { memory in
                let state = unsafe memory.bindMemory(to: State.self, capacity: 1)
                unsafe state.initialize(to: State(keyCount: key.count))
                key.lend { key in unsafe state.pointee.takeKey(key.start, key.count) }
                unsafe state.pointee.update(bytes.start, bytes.count)
                unsafe state.pointee.finish(digest.start)
            }
        }
    }

    /// The chaining value and the block that is being filled.
    struct State {
        private var low: SIMD4<UInt32>
        private var high: SIMD4<UInt32>
        private var total: UInt64 = 0
        private var filled = 0
        private var block = SIMD16<UInt32>.zero

        /// Digest and key length go into the first word of the parameter block; fan-out and depth are 1.
        init(keyCount: Int) {
            (low, high) = (Self.ivLow, Self.ivHigh)
            low.x ^= 0x0101_0000 ^ UInt32(keyCount) << 8 ^ UInt32(BLAKE2s.digestSize)
        }
    }
}

extension SIMD4<UInt32> {
    fileprivate func rotatedRight(_ count: UInt32) -> Self { self &>> count | self &<< (32 - count) }
    /// The lanes moved so that diagonals stand in columns, and back.
    fileprivate var from1: Self { Self(y, z, w, x) }
    fileprivate var from2: Self { Self(z, w, x, y) }
    fileprivate var from3: Self { Self(w, x, y, z) }
}

extension BLAKE2s.State {
    fileprivate static let ivLow = SIMD4<UInt32>(0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A)
    fileprivate static let ivHigh = SIMD4<UInt32>(0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19)

    /// Takes a key in, which fills a block of its own.
    @unsafe mutating func takeKey(_ key: UnsafePointer<UInt8>, _ count: Int) {
        unsafe update(key, count)
        filled = 64
    }

    /// Takes bytes in. A full block waits for more, because the last one is mixed differently.
    @unsafe mutating func update(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        var offset = 0
        while offset < count {
            if filled == 64 {
                total &+= 64
                mix(isLast: false)
                (block, filled) = (.zero, 0)
            }
            let part = min(64 - filled, count - offset)
            unsafe withUnsafeMutableBytes(of: &block) { block in
                unsafe UnsafeMutableRawBufferPointer(rebasing: block[filled..<filled + part])
                    .copyMemory(from: UnsafeRawBufferPointer(start: bytes + offset, count: part))
            }
            (filled, offset) = (filled + part, offset + part)
        }
    }

    /// Mixes the last block, which is zeros behind the message, and writes the digest.
    @unsafe mutating func finish(_ digest: UnsafeMutablePointer<UInt8>) {
        total &+= UInt64(filled)
        mix(isLast: true)
        for lane in 0..<4 {
            unsafe (digest + 4 * lane).store(low[lane])
            unsafe (digest + 16 + 4 * lane).store(high[lane])
        }
    }

    private mutating func mix(isLast: Bool) {
        var (a, b, c, d) = (low, high, Self.ivLow, Self.ivHigh)
        d.x ^= UInt32(truncatingIfNeeded: total)
        d.y ^= UInt32(truncatingIfNeeded: total >> 32)
        if isLast { d.z ^= .max }

        @inline(__always) func m(_ index: Int) -> UInt32 { UInt32(littleEndian: block[index]) }
        @inline(__always) func quarter(_ x: SIMD4<UInt32>, _ y: SIMD4<UInt32>) {
            a = a &+ b &+ x
            d = (d ^ a).rotatedRight(16)
            c = c &+ d
            b = (b ^ c).rotatedRight(12)
            a = a &+ b &+ y
            d = (d ^ a).rotatedRight(8)
            c = c &+ d
            b = (b ^ c).rotatedRight(7)
        }
        // A round: the four columns, then the four diagonals.
        @inline(__always) func round(
            _ s0: Int, _ s1: Int, _ s2: Int, _ s3: Int, _ s4: Int, _ s5: Int, _ s6: Int, _ s7: Int,
            _ s8: Int, _ s9: Int, _ s10: Int, _ s11: Int, _ s12: Int, _ s13: Int, _ s14: Int, _ s15: Int
        ) {
            quarter(SIMD4(m(s0), m(s2), m(s4), m(s6)), SIMD4(m(s1), m(s3), m(s5), m(s7)))
            (b, c, d) = (b.from1, c.from2, d.from3)
            quarter(SIMD4(m(s8), m(s10), m(s12), m(s14)), SIMD4(m(s9), m(s11), m(s13), m(s15)))
            (b, c, d) = (b.from3, c.from2, d.from1)
        }
        round(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        round(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        round(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
        round(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
        round(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
        round(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
        round(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
        round(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
        round(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
        round(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
        low ^= a ^ c
        high ^= b ^ d
    }
}

extension UnsafeMutablePointer<UInt8> {
    /// Writes a word in little-endian order.
    fileprivate func store(_ word: UInt32) {
        for index in 0..<4 { unsafe self[index] = UInt8(truncatingIfNeeded: word >> (8 * UInt32(index))) }
    }
}
