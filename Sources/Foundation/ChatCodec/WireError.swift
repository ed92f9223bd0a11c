public import ChatModel

/// Why bytes or text from outside could not be decoded; offsets count bytes from the start of what was decoded.
public enum WireError: Error, RefusalCause, Hashable {
    /// It ends too early: how many more bytes were expected, and where.
    case truncated(needed: Int, at: Int)
    /// A varint of more than ten bytes or more than 64 bits.
    case badVarint(at: Int)
    /// A field number of 0 or above 2²⁹ − 1.
    case badFieldNumber(UInt64, at: Int)
    /// A wire type that protobuf does not have (6, 7), the end of a group that did not begin, or another wire type
    /// than the field has.
    case badWireType(UInt8, field: Int, at: Int)
    /// A field or a text of another length than its kind has.
    case wrongLength(String, bytes: Int, expected: Int)
    /// More bytes than a limit allows.
    case tooLong(String, bytes: Int, limit: Int)
    /// More levels of nesting than a limit allows.
    case tooDeep(limit: Int, at: Int)
    /// Something that must be there is not.
    case missing(String)
    /// A oneof without an arm that is known, beside a field that is not: perhaps the arm of a later version.
    case unknownArm(String)
    /// Text that is not UTF-8.
    case notUTF8(at: Int)
    /// A character that has no place there.
    case badCharacter(at: Int)
    /// Bits that a strict encoder leaves zero.
    case notCanonical(at: Int)
    /// A number that no value here can hold.
    case badNumber(at: Int)
    /// The same key twice in one object.
    case duplicateKey(String, at: Int)

    /// `malformed`; `too_large` where a limit on size was passed, `unsupported` where a later version may know more.
    public var code: String {
        switch self {
        case .tooLong: "too_large"
        case .unknownArm: "unsupported"
        default: "malformed"
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .truncated(let needed, let offset): "bytes end at \(offset); \(needed) more expected"
        case .badVarint(let offset): "varint at byte \(offset) has more than 64 bits"
        case .badFieldNumber(let number, let offset): "field number \(number) at byte \(offset)"
        case .badWireType(let type, let field, let offset): "wire type \(type) for field \(field) at byte \(offset)"
        case .wrongLength(let what, let count, let expected): "\(what) has \(count) bytes, not \(expected)"
        case .tooLong(let what, let count, let limit): "\(what) has \(count) bytes; at most \(limit) allowed"
        case .tooDeep(let limit, let offset): "nested deeper than \(limit) levels at byte \(offset)"
        case .missing(let what): "\(what) is missing"
        case .unknownArm(let what): "\(what) has an unknown arm"
        case .notUTF8(let offset): "invalid UTF-8 at byte \(offset)"
        case .badCharacter(let offset): "unexpected character at byte \(offset)"
        case .notCanonical(let offset): "unused bits are not zero at byte \(offset)"
        case .badNumber(let offset): "number at byte \(offset) is out of range"
        case .duplicateKey(let key, let offset): "key \(key.prefix(64)) at byte \(offset) is a duplicate"
        }
    }
}

extension Refusal {
    /// Refuses bytes that do not decode: invalid, or unsupported where a later version may know more (WIRE-7).
    public init(_ error: WireError) {
        if case .unknownArm = error { self.init(.unsupported, error) } else { self.init(.invalid, error) }
    }
}
