import ChatCodec

/// The id of a chat, message, job, tool call, approval, source, request, question or injection: opaque (AC-06).
///
/// It has 1 to 256 Unicode scalar values, none of them a control character, and equals another only byte for byte.
public struct Identifier: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The most Unicode scalar values.
    public static let maximumScalars = 256

    private let exact: ExactText

    /// The id's text.
    public var text: String { exact.text }

    /// The text.
    public var description: String { text }

    /// A text, if it is an id.
    public init?(checking text: String) {
        guard Self.isGood(text) else { return nil }
        exact = ExactText(text)
    }

    /// A text that is known to be one: of visible ASCII, and no longer than an id may be.
    init(visible text: String) { exact = ExactText(text) }

    /// An id in a program's own words; a literal that is none is a mistake in the program, and traps.
    public init(stringLiteral text: String) {
        precondition(Self.isGood(text), "no id")
        exact = ExactText(text)
    }

    /// Compares the bytes.
    public static func == (left: Self, right: Self) -> Bool { left.exact == right.exact }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(exact) }

    private static func isGood(_ text: String) -> Bool {
        let bytes = text.utf8.span
        guard bytes.count > 0, bytes.count <= 4 * maximumScalars else { return false }
        var scalars = 0
        for index in bytes.indices {
            let byte = bytes[index]
            // The control characters: U+0000 to U+001F, U+007F, and U+0080 to U+009F, which are C2 80 to C2 9F.
            guard byte >= 0x20, byte != 0x7f else { return false }
            if byte == 0xc2, index + 1 < bytes.count, bytes[index + 1] < 0xa0 { return false }
            if byte & 0xc0 != 0x80 { scalars += 1 }
        }
        return scalars <= maximumScalars
    }
}
