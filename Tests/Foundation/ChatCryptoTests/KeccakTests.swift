import ChatModel
import ChatCrypto
import TestSupport
import Testing

@Test func `Keccak-256 of parts is that of the whole, and a copy goes on by itself`() {
    var random = SplitMix64(seed: 256)
    let bytes = (0..<2_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    for count in [0, 1, 135, 136, 137, 271, 272, 273, 2_000] {
        var hasher = Keccak256.Hasher()
        var offset = 0
        while offset < count {
            let next = min(count, offset + random.below(300))
            hasher.absorb(bytes.span.extracting(offset..<next))
            offset = next
            #expect(hasher.digest == Keccak256.hash(Array(bytes[..<offset])))
        }
        var other = hasher
        other.absorb([1].span)
        #expect(hasher.digest == Keccak256.hash(Array(bytes[..<count])))
        #expect(other.digest == Keccak256.hash(bytes[..<count] + [1]))
    }
}
