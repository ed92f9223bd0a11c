/// Bytes as text that fits into links and file names: base64url of RFC 4648, section 5, without padding.
///
/// Reading is strict, so that one value has one text: no padding, no white space, no other alphabet,
/// and the unused bits of the last character are zero.
public enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Four characters for three bytes, two or three for the rest.
    public static func encode(_ bytes: [UInt8]) -> String {
        var characters: [UInt8] = []
        characters.reserveCapacity((bytes.count * 4 + 2) / 3)
        var (buffer, bits) = (UInt32(0), 0)
        for byte in bytes {
            (buffer, bits) = (buffer << 8 | UInt32(byte), bits + 8)
            while bits >= 6 {
                bits -= 6
                characters.append(alphabet[Int(buffer >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { characters.append(alphabet[Int(buffer << UInt32(6 - bits) & 63)]) }
        return String(decoding: characters, as: UTF8.self)
    }

    /// The bytes of a text, which must be exactly what ``encode(_:)`` writes.
    public static func decode(_ text: String) throws(WireError) -> [UInt8] {
        let count = text.utf8.count
        guard count % 4 != 1 else { throw .truncated(needed: 1, at: count) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 3 / 4)
        var (buffer, bits) = (UInt32(0), 0)
        for (offset, character) in text.utf8.enumerated() {
            guard let value = value(character) else { throw .badCharacter(at: offset) }
            (buffer, bits) = (buffer << 6 | value, bits + 6)
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        guard buffer & (1 << UInt32(bits) - 1) == 0 else { throw .notCanonical(at: count - 1) }
        return bytes
    }

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
