public import ChatModel

/// BLAKE2s (RFC 7693) with a digest of 32 bytes; libsodium has none.
///
/// Arithmetic wraps, as the function is defined; there are neither branches nor look-ups that depend
/// on the input.
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
    /// - Parameters:
    ///   - bytes: the input.
    ///   - key: within ``keySizes``.
    public static func authenticate(_ bytes: Span<UInt8>, key: Secret) -> Secret {
        precondition(keySizes.contains(key.count), "BLAKE2s takes no key of \(key.count) bytes")
        return Secret(count: digestSize) { digest in
            unsafe HashFunction.withWiped(MemoryLayout<State>.size) { memory in
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
        private var h0, h1, h2, h3, h4, h5, h6, h7: UInt32
        private var total: UInt64 = 0
        private var filled = 0
        private var block: [16 of UInt32] = .init(repeating: 0)

        /// Digest and key length go into the first word of the parameter block; fan-out and depth are 1.
        init(keyCount: Int) {
            h0 = IV.w0 ^ 0x0101_0000 ^ UInt32(keyCount) << 8 ^ UInt32(BLAKE2s.digestSize)
            (h1, h2, h3, h4, h5, h6, h7) = (IV.w1, IV.w2, IV.w3, IV.w4, IV.w5, IV.w6, IV.w7)
        }
    }
}

extension BLAKE2s.State {
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
                (block, filled) = (.init(repeating: 0), 0)
            }
            let part = min(64 - filled, count - offset)
            unsafe withUnsafeMutableBytes(of: &block) { block in
                unsafe UnsafeMutableRawBufferPointer(rebasing: block[filled..<filled + part])
                    .copyMemory(from: UnsafeRawBufferPointer(start: bytes + offset, count: part))
            }
            (filled, offset) = (filled + part, offset + part)
        }
    }

    /// Mixes the last block, which is zeros behind the message, and writes the digest in little-endian order.
    @unsafe mutating func finish(_ digest: UnsafeMutablePointer<UInt8>) {
        total &+= UInt64(filled)
        mix(isLast: true)
        let words: [8 of UInt32] = [h0, h1, h2, h3, h4, h5, h6, h7]
        for index in 0..<32 {
            unsafe digest[index] = UInt8(truncatingIfNeeded: words[index / 4] >> (8 * UInt32(index % 4)))
        }
    }

    private mutating func mix(isLast: Bool) {
        let m = block
        var v = Rows(
            v0: h0, v1: h1, v2: h2, v3: h3, v4: h4, v5: h5, v6: h6, v7: h7, v8: IV.w0, v9: IV.w1, va: IV.w2, vb: IV.w3,
            vc: IV.w4 ^ UInt32(truncatingIfNeeded: total), vd: IV.w5 ^ UInt32(truncatingIfNeeded: total >> 32),
            ve: isLast ? ~IV.w6 : IV.w6, vf: IV.w7)
        v.round(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        v.round(m, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        v.round(m, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
        v.round(m, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
        v.round(m, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
        v.round(m, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
        v.round(m, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
        v.round(m, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
        v.round(m, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
        v.round(m, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
        (h0, h1, h2, h3) = (h0 ^ v.v0 ^ v.v8, h1 ^ v.v1 ^ v.v9, h2 ^ v.v2 ^ v.va, h3 ^ v.v3 ^ v.vb)
        (h4, h5, h6, h7) = (h4 ^ v.v4 ^ v.vc, h5 ^ v.v5 ^ v.vd, h6 ^ v.v6 ^ v.ve, h7 ^ v.v7 ^ v.vf)
    }
}

private enum IV {
    static var w0: UInt32 { 0x6A09_E667 }
    static var w1: UInt32 { 0xBB67_AE85 }
    static var w2: UInt32 { 0x3C6E_F372 }
    static var w3: UInt32 { 0xA54F_F53A }
    static var w4: UInt32 { 0x510E_527F }
    static var w5: UInt32 { 0x9B05_688C }
    static var w6: UInt32 { 0x1F83_D9AB }
    static var w7: UInt32 { 0x5BE0_CD19 }
}

/// Four rows of four words; not an array, so that they stay in registers.
private struct Rows {
    var v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, va, vb, vc, vd, ve, vf: UInt32

    /// The four columns, then the four diagonals, with the words of the message in the order of the round.
    @inline(__always) mutating func round(
        _ m: borrowing [16 of UInt32], _ s0: Int, _ s1: Int, _ s2: Int, _ s3: Int, _ s4: Int, _ s5: Int, _ s6: Int,
        _ s7: Int, _ s8: Int, _ s9: Int, _ sa: Int, _ sb: Int, _ sc: Int, _ sd: Int, _ se: Int, _ sf: Int
    ) {
        quarter(&v0, &v4, &v8, &vc, m[s0], m[s1])
        quarter(&v1, &v5, &v9, &vd, m[s2], m[s3])
        quarter(&v2, &v6, &va, &ve, m[s4], m[s5])
        quarter(&v3, &v7, &vb, &vf, m[s6], m[s7])
        quarter(&v0, &v5, &va, &vf, m[s8], m[s9])
        quarter(&v1, &v6, &vb, &vc, m[sa], m[sb])
        quarter(&v2, &v7, &v8, &vd, m[sc], m[sd])
        quarter(&v3, &v4, &v9, &ve, m[se], m[sf])
    }
}

/// The mixing function G; message words are little-endian.
@inline(__always) private func quarter(
    _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32, _ d: inout UInt32, _ x: UInt32, _ y: UInt32
) {
    a = a &+ b &+ UInt32(littleEndian: x)
    d = rotate(d ^ a, 16)
    c = c &+ d
    b = rotate(b ^ c, 12)
    a = a &+ b &+ UInt32(littleEndian: y)
    d = rotate(d ^ a, 8)
    c = c &+ d
    b = rotate(b ^ c, 7)
}

@inline(__always) private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word &>> count | word &<< (32 - count)
}
