import ChatCodec
public import ChatModel

/// How bytes were written down.
public enum InputForm: String, Sendable, CaseIterable {
    /// A text such as `logos_chatintro_1_…`.
    case link
    /// Two digits a byte; white space, colons and commas between them are left out, and a `0x` in front.
    case hex
    /// RFC 4648, with `+` and `/`, or base64url with `-` and `_`; with padding or without.
    case base64
    /// The bytes themselves.
    case binary
}

/// An input, taken for what it most likely is.
public struct Input: Sendable {
    /// The form that was found.
    public let form: InputForm
    /// The bytes; those of the text for a link.
    public let bytes: Bytes
    /// Why a text that looks like hex was not taken for it; nil for other inputs.
    public let remark: String?

    /// The longest input in bytes: the largest payload of a relay in hex.
    public static let maximumBytes = 33 << 20

    /// Takes a text for a link, hex or base64 where it is one, and for binary otherwise.
    public init(_ raw: [UInt8]) {
        let text = raw.trimmed
        remark = text.starts(with: "logos_".utf8) ? nil : text.reasonAgainstHex
        if text.starts(with: "logos_".utf8) {
            (form, bytes) = (.link, Bytes(Array(text)))
        } else if let hex = text.hex {
            (form, bytes) = (.hex, Bytes(hex))
        } else if let base64 = text.base64 {
            (form, bytes) = (.base64, Bytes(base64))
        } else {
            (form, bytes) = (.binary, Bytes(raw))
        }
    }

    /// Takes bytes for what they are.
    public init(binary bytes: Bytes) {
        (form, self.bytes, remark) = (.binary, bytes, nil)
    }
}

extension [UInt8] {
    /// Without white space around it.
    fileprivate var trimmed: ArraySlice<UInt8> {
        guard let first = firstIndex(where: { !$0.isSpace }), let last = lastIndex(where: { !$0.isSpace }) else {
            return []
        }
        return self[first...last]
    }
}

extension ArraySlice<UInt8> {
    /// What stands between digits and is left out.
    private static func isBetween(_ byte: UInt8) -> Bool { byte.isSpace || byte == 0x3A || byte == 0x2C }

    private static func isDigit(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit && byte < 0x80 }

    /// The first thing that keeps a text of hex digits, three quarters of them at least, from being hex.
    fileprivate var reasonAgainstHex: String? {
        let digits = starts(with: "0x".utf8) ? dropFirst(2) : self
        let letters = digits.filter { !Self.isBetween($0) }
        let count = letters.count(where: Self.isDigit)
        guard count > 3, count * 4 >= letters.count * 3 else { return nil }
        if let place = digits.indices.first(where: { !Self.isBetween(digits[$0]) && !Self.isDigit(digits[$0]) }) {
            let byte = digits[place]
            let what = (0x21...0x7E).contains(byte) ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
            return "not hex: \(what) at character \(place - startIndex + 1) is no digit"
        }
        return count % 2 == 0 ? nil : "not hex: \(count) digits, and a byte has two"
    }

    fileprivate var hex: [UInt8]? {
        let digits = starts(with: "0x".utf8) ? dropFirst(2) : self
        let text = String(decoding: digits.filter { !Self.isBetween($0) }, as: UTF8.self)
        guard !text.isEmpty else { return nil }
        return try? Hex.decode(text)
    }

    fileprivate var base64: [UInt8]? {
        var letters = filter { !$0.isSpace }
        while letters.last == UInt8(ascii: "=") { letters.removeLast() }
        guard letters.count > 3 else { return nil }
        for index in letters.indices {
            if letters[index] == UInt8(ascii: "+") { letters[index] = UInt8(ascii: "-") }
            if letters[index] == UInt8(ascii: "/") { letters[index] = UInt8(ascii: "_") }
        }
        return try? Base64URL.decode(String(decoding: letters, as: UTF8.self))
    }
}

extension UInt8 {
    fileprivate var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
