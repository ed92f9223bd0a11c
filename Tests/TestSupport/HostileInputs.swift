import ChatModel

/// Inputs that nobody means well with: random bytes, and valid ones cut, changed and spliced.
///
/// The same seed gives the same inputs. One buffer is used again and again, so an input costs little;
/// a decoder that keeps it makes a copy.
public struct HostileInputs {
    private var generator: SplitMix64
    private let valid: [[UInt8]]
    private let longest: Int

    /// - Parameters:
    ///   - seed: names the sequence.
    ///   - valid: inputs that the decoder accepts, as the beginning of most others.
    ///   - longest: the most bytes of a purely random input.
    public init(seed: UInt64, valid: [[UInt8]], longest: Int = 64) {
        generator = SplitMix64(seed: seed)
        self.valid = valid.filter { !$0.isEmpty }
        self.longest = longest
    }

    /// How many inputs a decoder gets where a test names no number: 200,000, and 5,000 in `make quick`.
    public static let usualCount = Seeds.isQuick ? 5_000 : 200_000

    /// Hands a number of inputs to a decoder.
    public mutating func forEach<E: Error>(
        _ count: Int = usualCount, _ decode: ([UInt8]) throws(E) -> Void
    ) throws(E) {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(longest + 2 * (valid.map(\.count).max() ?? 0) + 16)
        for _ in 0..<count {
            fill(&buffer)
            try decode(buffer)
        }
    }

    /// One input.
    public mutating func next() -> [UInt8] {
        var buffer: [UInt8] = []
        fill(&buffer)
        return buffer
    }

    private mutating func fill(_ buffer: inout [UInt8]) {
        buffer.removeAll(keepingCapacity: true)
        guard !valid.isEmpty, generator.below(4) > 0 else {
            for _ in 0..<generator.below(longest + 1) { buffer.append(byte()) }
            return
        }
        buffer.append(contentsOf: valid[generator.below(valid.count)])
        for _ in 0...generator.below(3) { mutate(&buffer) }
    }

    /// Bytes at the edges of what lengths, tags and flags mean are worth more than others.
    private mutating func byte() -> UInt8 {
        let word = generator.next()
        let edges: [UInt8] = [0x00, 0x01, 0x7F, 0x80, 0xFF]
        return word & 3 == 0 ? edges[Int((word >> 8) % 5)] : UInt8(truncatingIfNeeded: word >> 16)
    }

    private mutating func mutate(_ buffer: inout [UInt8]) {
        guard !buffer.isEmpty else { return buffer.append(byte()) }
        let index = generator.below(buffer.count)
        switch generator.below(7) {
        case 0: buffer[index] ^= 1 << UInt8(generator.below(8))
        case 1: buffer[index] = byte()
        case 2: buffer.removeLast(buffer.count - index)
        case 3: buffer.remove(at: index)
        case 4: buffer.insert(byte(), at: index)
        case 5: for _ in 0...generator.below(8) { buffer.append(byte()) }
        default:
            let other = valid[generator.below(valid.count)]
            buffer.removeLast(buffer.count - index)
            buffer.append(contentsOf: other[generator.below(other.count)...])
        }
    }
}
