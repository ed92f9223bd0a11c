/// Writes JSON on one line without spaces, straight into bytes, without a tree of values in between.
///
/// It sees to commas and escapes; that keys stand in objects, differ, and have values is the caller's part.
public struct JSONWriter: Sendable {
    /// The text written so far.
    public private(set) var bytes: [UInt8] = []
    /// Whether a comma is due before the next key or element.
    private var needsComma = false

    /// An empty text, with room for some bytes.
    public init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Writes an object, whose members the body writes.
    public mutating func object(_ body: (inout Self) -> Void) {
        between(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes a list, whose elements the body writes.
    public mutating func array(_ body: (inout Self) -> Void) {
        between(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// Writes a key that needs no escape; its value comes next.
    public mutating func key(_ key: StaticString) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        raw(key)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes any key; its value comes next.
    public mutating func key(_ key: String) {
        comma()
        quote(key)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a text.
    public mutating func text(_ text: String) {
        comma()
        quote(text)
        needsComma = true
    }

    /// Writes any value.
    public mutating func value(_ value: JSON) {
        switch value {
        case .null: word("null")
        case .bool(let value): word(value ? "true" : "false")
        case .integer(let value): number(String(value))
        case .unsigned(let value): number(String(value))
        case .number(let value): number(value.isFinite ? "\(value)" : "null")
        case .decimal(let value): number(value.description)
        case .string(let value): text(value)
        case .array(let list): array { writer in for item in list { writer.value(item) } }
        case .object(let object):
            self.object { writer in
                for member in object.members {
                    writer.key(member.key)
                    writer.value(member.value)
                }
            }
        }
    }

    private mutating func between(_ open: UInt8, _ close: UInt8, _ body: (inout Self) -> Void) {
        comma()
        bytes.append(open)
        needsComma = false
        body(&self)
        bytes.append(close)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func word(_ word: StaticString) {
        comma()
        raw(word)
        needsComma = true
    }

    private mutating func number(_ text: String) {
        comma()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }
}

// The printer's way in: without commas.
extension JSONWriter {
    mutating func raw(_ text: StaticString) {
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        needsComma = false
    }

    mutating func breakLine(indent: Int) {
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent))
        needsComma = false
    }

    /// A text in quotes; only what must be escaped is.
    mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        let units = text.utf8.span
        var isPlain = true
        for index in units.indices where Self.mustEscape(units[index]) {
            isPlain = false
            break
        }
        if isPlain {
            bytes.append(contentsOf: text.utf8)
        } else {
            for index in units.indices { escape(units[index]) }
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = false
    }

    private static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): raw("\\\"")
        case UInt8(ascii: "\\"): raw("\\\\")
        case UInt8(ascii: "\n"): raw("\\n")
        case UInt8(ascii: "\r"): raw("\\r")
        case UInt8(ascii: "\t"): raw("\\t")
        case ..<0x20:
            raw("\\u00")
            bytes.append(contentsOf: Hex.encode([byte]).utf8)
        default: bytes.append(byte)
        }
    }
}
