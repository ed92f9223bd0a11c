/// A text that equals another only byte for byte, where `String` takes canonically equivalent texts for equal.
public struct ExactText: Hashable, Sendable {
    /// The text.
    public let text: String

    /// Wraps a text.
    public init(_ text: String) {
        self.text = text
    }

    /// Compares the bytes.
    public static func == (left: Self, right: Self) -> Bool { isSame(left.text, right.text) }

    /// Whether two texts have the same bytes.
    public static func isSame(_ left: String, _ right: String) -> Bool {
        // Almost always decided by the first line: texts with the same bytes are equal, and most are ASCII.
        guard left == right else { return false }
        let (left, right) = (left.utf8.span, right.utf8.span)
        guard left.count == right.count else { return false }
        for index in left.indices where left[index] != right[index] { return false }
        return true
    }

    /// Hashes the bytes, so that no spelling of one text collides with another.
    public func hash(into hasher: inout Hasher) {
        let bytes = text.utf8.span
        hasher.combine(bytes.count)
        for index in bytes.indices { hasher.combine(bytes[index]) }
    }
}
