internal import ChatModel

/// Bytes as hexadecimal digits: written in lowercase, read in either case, without a prefix.
public enum Hex {
    /// Two lowercase digits for each byte: `rhex` of the specifications.
    public static func encode(_ bytes: [UInt8]) -> String {
        hex(bytes)
    }

    /// The bytes of an even number of digits.
    public static func decode(_ text: String) throws(WireError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 2)
        var high: UInt8?
        for (offset, character) in text.utf8.enumerated() {
            guard let digit = digit(character) else { throw .badCharacter(at: offset) }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard high == nil else { throw .truncated(needed: 1, at: text.utf8.count) }
        return bytes
    }

    /// The value of one digit of either case.
    package static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
