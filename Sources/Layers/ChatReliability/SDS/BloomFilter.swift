public import ChatCodec
import ChatCrypto
public import ChatModel

/// A set of message ids that says of an id that it is surely not in it, or probably is (SDS-03).
///
/// The documents leave its encoding open; this is the one of `Specs/sds.md`, in the container of nim-sds.
public struct BloomFilter: Hashable, Sendable {
    /// How large a filter is.
    public struct Parameters: Hashable, Sendable {
        /// Ids that it is made for.
        public let capacity: Int
        /// Of so many ids of a million that are not in a full filter, it says that they are.
        public let errorsPerMillion: Int
        /// Bits set for each id.
        public let hashes: Int
        /// Bits in all.
        public let bits: Int

        /// States the size; at least 1 of everything.
        public init(capacity: Int, errorsPerMillion: Int, hashes: Int, bits: Int) {
            (self.capacity, self.errorsPerMillion) = (max(1, capacity), max(1, errorsPerMillion))
            (self.hashes, self.bits) = (max(1, hashes), max(1, bits))
        }

        /// For 2,000 ids and one error in a thousand (PV1-13): −n ln p / (ln 2)² bits, of which 10 for each id.
        public static let standard = Parameters(capacity: 2_000, errorsPerMillion: 1_000, hashes: 10, bits: 28_756)
    }

    /// Where the bits of an id are, in a filter of any size.
    package struct Probe: Hashable, Sendable {
        let first, step: UInt64

        /// Two numbers from the two halves of BLAKE2b-128 over the id, little-endian.
        package init(_ id: Identifier) {
            let text = [UInt8](capacity: id.count) { id.write(to: &$0) }
            let hash = BLAKE2b.hash(count: 16, text)
            (first, step) = (hash[..<8].reversed().bigEndian, hash[8...].reversed().bigEndian)
        }

        /// The place of one bit of several.
        package func bit(_ number: Int, of bits: Int) -> Int {
            Int((first &+ UInt64(number) &* step) % UInt64(bits))
        }
    }

    /// The most bytes of bits of a filter that is read: four times what nim-sds sends.
    public static let maximumSize = 16 << 10
    /// The most bits for each id of a filter that is read.
    public static let maximumHashes = 32

    /// Its size.
    public let parameters: Parameters
    /// How many ids were added.
    public private(set) var count = 0
    /// Lowest bit first, filled up to whole words of 64 bits.
    private var bytes: [UInt8]

    /// An empty filter.
    public init(_ parameters: Parameters = .standard) {
        self.parameters = parameters
        bytes = [UInt8](repeating: 0, count: Self.size(parameters.bits))
    }

    private static func size(_ bits: Int) -> Int { (bits + 63) / 64 * 8 }

    /// Adds an id.
    public mutating func insert(_ id: Identifier) { insert(Probe(id)) }

    mutating func insert(_ probe: Probe) {
        for number in 0..<parameters.hashes {
            let bit = probe.bit(number, of: parameters.bits)
            bytes[bit >> 3] |= 1 << UInt8(bit & 7)
        }
        count += 1
    }

    /// Whether an id was added, perhaps.
    public func contains(_ id: Identifier) -> Bool { contains(Probe(id)) }

    func contains(_ probe: Probe) -> Bool {
        (0..<parameters.hashes).allSatisfy { number in
            let bit = probe.bit(number, of: parameters.bits)
            return bytes[bit >> 3] & 1 << UInt8(bit & 7) != 0
        }
    }

    /// Whether so many bits are set that containing an id says nothing: an honest filter has half of them.
    package var isSaturated: Bool {
        let words = stride(from: 0, to: bytes.count, by: 8)
        let count = words.reduce(0) { count, start in
            let word = unsafe bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
            return count + word.nonzeroBitCount
        }
        return count > parameters.bits * 6 / 10
    }
}

extension BloomFilter: ProtoMessage {
    /// Decodes a filter of any size within the limits.
    public init(decoding message: Bytes) throws(WireError) {
        var bits = Bytes()
        var (capacity, errors, hashes, count) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        var reader = ProtoReader(message.span)
        while let field = try reader.next() {
            switch field {
            case 1: bits = message.slice(try reader.range())
            case 2: capacity = try reader.uint64()
            case 3: errors = try reader.uint64()
            case 4: hashes = try reader.uint64()
            case 5: count = try reader.uint64()
            default: continue
            }
        }
        guard bits.count <= Self.maximumSize else {
            throw .tooLong("bits of the filter", bytes: bits.count, limit: Self.maximumSize)
        }
        guard hashes >= 1, hashes <= UInt64(Self.maximumHashes) else { throw .missing("a number of hashes") }
        guard count >= 1, count <= UInt64(8 * bits.count) else { throw .missing("a number of bits") }
        let expected = Self.size(Int(count))
        guard bits.count == expected else {
            throw .wrongLength("bits of the filter", bytes: bits.count, expected: expected)
        }
        parameters = Parameters(
            capacity: Int(clamping: capacity), errorsPerMillion: Int(clamping: errors), hashes: Int(hashes),
            bits: Int(count))
        bytes = bits.array
    }

    private var numbers: [Int] {
        [parameters.capacity, parameters.errorsPerMillion, parameters.hashes, parameters.bits]
    }

    /// The size of its encoding in bytes.
    public var size: Int {
        ProtoSize.field(1, count: bytes.count)
            + numbers.enumerated().reduce(0) { $0 + ProtoSize.field(2 + $1.offset, UInt64($1.element)) }
    }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, Bytes(bytes))
        for (index, number) in numbers.enumerated() { output.append(field: 2 + index, UInt64(number)) }
    }
}
