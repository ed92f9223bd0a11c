public import ChatCodec
public import ChatModel

/// A UUID as the protocol writes it: lower case, with hyphens; which version it is does not matter.
public struct UUIDText: EngineValue, CustomStringConvertible {
    /// 36 characters.
    public let description: String

    /// A text, if it is a UUID.
    public init?(_ text: String) {
        guard Self.isGood(text.utf8) else { return nil }
        description = text
    }

    /// A UUID of 122 random bits (version 4).
    public init(random: inout any RandomSource) {
        var bytes = random.bytes(16, for: .identifier)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += Hex.encode([byte])
        }
        description = text
    }

    /// Reads it (CE-06).
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        guard let text = json.text else { throw Violation(.field, "is no text") }
        guard let uuid = UUIDText(text) else { throw Violation(.identifier, "is no UUID in lower case") }
        self = uuid
    }

    /// Writes it.
    public func write(to writer: inout JSONWriter) { writer.text(description) }

    static func isGood(_ bytes: some Collection<UInt8>) -> Bool {
        guard bytes.count == 36 else { return false }
        return bytes.enumerated().allSatisfy { index, byte in
            switch index {
            case 8, 13, 18, 23: byte == UInt8(ascii: "-")
            default: isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
        }
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// An id that names its kind and ends in a UUID: `gts.hyperspot.chat_engine.entities.KIND.vN~UUID`.
public protocol EntityID: EngineValue, CustomStringConvertible {
    /// The word for the kind.
    static var kind: String { get }
    /// The id as it is written.
    var text: String { get }
    /// An id whose text is known to be good.
    init(unchecked text: String)
}

extension EntityID {
    /// A text, if it is such an id; a bare UUID is one only where it is let pass.
    public init?(_ text: String, _ tolerance: Tolerance = .strict) {
        let bytes = Array(text.utf8)
        guard bytes.count < 256 else { return nil }
        let prefix = Array("gts.hyperspot.chat_engine.entities.\(Self.kind).v".utf8)
        if bytes.starts(with: prefix), let tilde = bytes.firstIndex(of: UInt8(ascii: "~")) {
            let version = bytes[prefix.count..<max(tilde, prefix.count)]
            guard !version.isEmpty, version.allSatisfy(isDigit), UUIDText.isGood(bytes[(tilde + 1)...]) else {
                return nil
            }
            self.init(unchecked: text)
            return
        }
        guard tolerance.contains(.uuidIds), UUIDText.isGood(bytes) else { return nil }
        self.init(unchecked: text)
    }

    /// A new id of version 1.
    public init(random: inout any RandomSource) { self.init(UUIDText(random: &random)) }

    /// The id of version 1 with a UUID.
    public init(_ uuid: UUIDText) {
        self.init(unchecked: "gts.hyperspot.chat_engine.entities.\(Self.kind).v1~\(uuid)")
    }

    /// The UUID at its end.
    public var uuid: UUIDText? { UUIDText(String(text.suffix(36))) }

    /// The text.
    public var description: String { text }

    /// Reads it (CE-06).
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        guard let text = json.text else { throw Violation(.field, "is no text") }
        guard let id = Self(text, tolerance) else { throw Violation(.identifier, "is no id of a \(Self.kind)") }
        self = id
    }

    /// Writes it.
    public func write(to writer: inout JSONWriter) { writer.text(text) }
}

/// The id of a session.
public struct SessionID: EntityID {
    /// The word in the id.
    public static let kind = "session"
    /// The id as it is written.
    public let text: String
    /// An id whose text is known to be good.
    public init(unchecked text: String) { self.text = text }
}

/// The id of a message.
public struct MessageID: EntityID {
    /// The word in the id.
    public static let kind = "message"
    /// The id as it is written.
    public let text: String
    /// An id whose text is known to be good.
    public init(unchecked text: String) { self.text = text }
}

/// The id of a session type, which has a name and no UUID: `gts.hyperspot.chat_engine.session_types.NAME.vN~`.
public struct SessionTypeID: EngineValue, CustomStringConvertible {
    /// The id as it is written.
    public let text: String

    /// An id whose text is known to be good.
    init(unchecked text: String) { self.text = text }

    /// A text, if it is such an id; a bare UUID is one only where it is let pass.
    public init?(_ text: String, _ tolerance: Tolerance = .strict) {
        let bytes = Array(text.utf8)
        guard bytes.count < 256, Self.isGood(bytes) || tolerance.contains(.uuidIds) && UUIDText.isGood(bytes) else {
            return nil
        }
        self.text = text
    }

    /// The text.
    public var description: String { text }

    /// Reads it (CE-06).
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        guard let text = json.text else { throw Violation(.field, "is no text") }
        guard let id = SessionTypeID(text, tolerance) else {
            throw Violation(.identifier, "is no id of a session type")
        }
        self = id
    }

    /// Writes it.
    public func write(to writer: inout JSONWriter) { writer.text(text) }

    private static func isGood(_ bytes: [UInt8]) -> Bool {
        let prefix = Array("gts.hyperspot.chat_engine.session_types.".utf8)
        guard bytes.starts(with: prefix), bytes.last == UInt8(ascii: "~") else { return false }
        let pieces = bytes[prefix.count..<(bytes.count - 1)].split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard pieces.count >= 2, !pieces[0].isEmpty, pieces[0].allSatisfy(isNameByte),
            pieces[1].first == UInt8(ascii: "v")
        else { return false }
        return ([pieces[1].dropFirst()] + pieces.dropFirst(2)).allSatisfy { !$0.isEmpty && $0.allSatisfy(isDigit) }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
    }
}
