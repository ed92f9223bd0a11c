import ChatCodec
import ChatModel

/// Names a message or a participant: UTF-8 of at most 255 bytes, compared byte by byte.
///
/// The first 32 bytes, as many as the ids of PRIVATE1 have, lie in the value itself: a log of ten
/// thousand of them is one piece of memory, and comparing touches no other.
public struct Identifier: Sendable {
    /// The most bytes.
    public static let maximumCount = 255
    private static let inlineCount = 32

    /// How many bytes it has.
    package let count: Int
    // Big-endian and filled up with zeros, so that comparing numbers compares bytes.
    private let first, second, third, fourth: UInt64
    private let rest: [UInt8]

    /// The identifier of some bytes, which should be UTF-8; nil where there are too many.
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count <= Self.maximumCount else { return nil }
        count = bytes.count
        func word(_ start: Int) -> UInt64 {
            if start + 8 <= bytes.count {
                return UInt64(bigEndian: unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self))
            }
            return (start..<start + 8).reduce(0) { $0 << 8 | ($1 < bytes.count ? UInt64(bytes[$1]) : 0) }
        }
        (first, second, third, fourth) = (word(0), word(8), word(16), word(24))
        let isLong = bytes.count > Self.inlineCount
        rest = isLong ? Bytes(copying: bytes.extracting(droppingFirst: Self.inlineCount)).array : []
    }

    /// The identifier without bytes.
    init() {
        (count, first, second, third, fourth, rest) = (0, 0, 0, 0, 0, [])
    }

    /// The identifier of a text; nil where it is too long.
    public init?(_ text: String) {
        self.init(Array(text.utf8).span)
    }

    /// The identifier in the digits of lowercase hex of some bytes, at most 127.
    public init?(hex bytes: Span<UInt8>) {
        guard bytes.count <= Self.maximumCount / 2 else { return nil }
        let digits: StaticString = "0123456789abcdef"
        let text = [UInt8](capacity: 2 * bytes.count) { output in
            for index in bytes.indices {
                unsafe output.append(digits.utf8Start[Int(bytes[index] >> 4)])
                unsafe output.append(digits.utf8Start[Int(bytes[index] & 15)])
            }
        }
        self.init(text.span)
    }

    /// The text.
    public var text: String { String(decoding: [UInt8](capacity: count) { write(to: &$0) }, as: UTF8.self) }

    /// Appends the bytes.
    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        let words: InlineArray<4, UInt64> = [first.bigEndian, second.bigEndian, third.bigEndian, fourth.bigEndian]
        let inline = unsafe words.span.bytes.extracting(..<min(count, Self.inlineCount))
        output.append(bytes: Span(_bytes: inline))
        if !rest.isEmpty { output.append(bytes: rest.span) }
    }
}

extension Identifier: Hashable, Comparable, CustomStringConvertible {
    /// Whether both have the same bytes.
    public static func == (left: Identifier, right: Identifier) -> Bool {
        left.first == right.first && left.second == right.second && left.third == right.third
            && left.fourth == right.fourth && left.count == right.count && left.rest == right.rest
    }

    /// Hashes all bytes: ids from outside that were alike in a part would share a place in every table.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(first)
        hasher.combine(second)
        hasher.combine(third)
        hasher.combine(fourth)
        hasher.combine(count)
        if !rest.isEmpty { hasher.combine(rest) }
    }

    /// Orders by bytes, as SDS breaks ties (SDS-08).
    public static func < (left: Identifier, right: Identifier) -> Bool {
        if left.first != right.first { return left.first < right.first }
        if left.second != right.second { return left.second < right.second }
        if left.third != right.third { return left.third < right.third }
        if left.fourth != right.fourth { return left.fourth < right.fourth }
        if left.rest.isEmpty || right.rest.isEmpty { return left.count < right.count }
        return left.rest.lexicographicallyPrecedes(right.rest)
    }

    /// The text.
    public var description: String { text }
}
