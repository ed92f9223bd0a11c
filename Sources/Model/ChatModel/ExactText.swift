/// A text that is a key: equal, hashed and ordered by its bytes of UTF-8.
///
/// `String` compares by canonical equivalence: `é` in one code point and in two is one key to it, and two keys to
/// every service and every other language. Texts that come from outside, or stand in stored records, are compared
/// by this type or by ``Swift/String/hasSameBytes(as:)``.
package struct ExactText: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The text.
    package let text: String

    /// A key of a text.
    package init(_ text: String) {
        self.text = text
    }

    /// Whether both have the same bytes.
    package static func == (left: ExactText, right: ExactText) -> Bool { left.text.hasSameBytes(as: right.text) }

    /// Orders by bytes, as `strcmp` does.
    package static func < (left: ExactText, right: ExactText) -> Bool { left.text.precedesInBytes(right.text) }

    /// Hashes the bytes.
    package func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }

    /// The text.
    package var description: String { text }
}

extension String {
    /// Whether two texts have the same bytes of UTF-8, which `==` does not ask.
    package func hasSameBytes(as other: String) -> Bool {
        let (own, other) = (utf8.span, other.utf8.span)
        guard own.count == other.count else { return false }
        // Mostly a text is compared with a copy of itself.
        if own.isIdentical(to: other) { return true }
        let (ownBytes, otherBytes) = unsafe (own.bytes, other.bytes)
        var index = 0
        while index + 8 <= own.count {
            let word = unsafe ownBytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard unsafe word == otherBytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) else {
                return false
            }
            index += 8
        }
        while index < own.count {
            guard own[index] == other[index] else { return false }
            index += 1
        }
        return true
    }

    /// Whether its bytes come before another text's; the shorter of two that begin alike comes first.
    package func precedesInBytes(_ other: String) -> Bool {
        let (own, other) = (utf8.span, other.utf8.span)
        for index in 0..<min(own.count, other.count) where own[index] != other[index] {
            return own[index] < other[index]
        }
        return own.count < other.count
    }

    /// Feeds the bytes of UTF-8 to a hasher, and an end that no text has.
    package func hashBytes(into hasher: inout Hasher) {
        let bytes = utf8.span
        unsafe bytes.withUnsafeBufferPointer { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
