import ChatCodec

/// What an `error` packet says, StructuredError v1 (SA-34). It travels downstream as data does, and by itself causes
/// nothing to be tried again.
public struct StructuredError: Hashable, Sendable {
    /// What kind of thing went wrong.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Something took too long.
        case timeout
        /// Storage.
        case storage = "storage_error"
        /// Encoding or decoding.
        case serialization = "serialization_error"
        /// Something was not as it must be.
        case validation = "validation_error"
        /// A step could not begin.
        case initialization = "initialization_error"
        /// A step failed.
        case execution = "execution_error"
        /// Anything else.
        case unknown
    }

    /// What an exit means.
    public enum ExitClass: String, Hashable, Sendable, CaseIterable {
        /// All went well.
        case success
        /// To be tried again.
        case retry
        /// Not to be tried again.
        case terminal
        /// To be tried again later.
        case rateLimited
        /// Not known.
        case unknown
    }

    /// What kind of thing went wrong.
    public var kind: Kind
    /// One line, not blank.
    public var message: String
    /// Whether it may be tried again, where that is said.
    public var isRetryable: Bool?
    /// The exit code of a process.
    public var exitCode: Int32?
    /// What the exit means.
    public var exitClass: ExitClass?
    /// A word for programs.
    public var code: String?
    /// Whatever else there is.
    public var details: PacketObject?

    /// An error.
    public init(_ kind: Kind, _ message: String) {
        (self.kind, self.message) = (kind, message)
    }

    /// Reads the payload of an `error` packet; keys that are not known say nothing here.
    public init(_ payload: PacketObject) throws(PacketViolation) {
        guard payload["version"]?.text == "v1" else {
            throw PacketViolation(.error, "is not v1", at: ".payload.version")
        }
        guard let kind = payload["type"]?.text.flatMap(Kind.init) else {
            throw PacketViolation(.error, "is not known", at: ".payload.type")
        }
        guard let message = payload["message"]?.text,
            !message.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        else { throw PacketViolation(.error, "is no text, or blank", at: ".payload.message") }
        self.init(kind, message)
        isRetryable = try Self.read(payload, "retryable") { $0.bool }
        exitCode = try Self.read(payload, "exitCode") { $0.int.flatMap(Int32.init(exactly:)) }
        exitClass = try Self.read(payload, "exitClass") { $0.text.flatMap(ExitClass.init) }
        code = try Self.read(payload, "code") { $0.text }
        details = try Self.read(payload, "details") { try? PacketObject($0) }
    }

    private static func read<Value>(
        _ payload: PacketObject, _ key: String, _ body: (JSON) -> Value?
    ) throws(PacketViolation) -> Value? {
        guard let json = payload[key] else { return nil }
        guard let value = body(json) else {
            throw PacketViolation(.error, "is \(json.description.prefix(64))", at: ".payload.\(key)")
        }
        return value
    }

    /// The payload of an `error` packet.
    public var payload: PacketObject {
        var object = JSON.Object()
        object["version"] = "v1"
        object["type"] = .string(kind.rawValue)
        object["message"] = .string(message)
        object["retryable"] = isRetryable.map { .bool($0) }
        object["exitCode"] = exitCode.map { JSON(Int($0)) }
        object["exitClass"] = exitClass.map { .string($0.rawValue) }
        object["code"] = code.map { .string($0) }
        object["details"] = details?.json
        return PacketObject(object)
    }
}
