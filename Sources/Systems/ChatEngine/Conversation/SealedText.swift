import ChatCodec
public import ChatModel

/// Payloads of another conversation as texts of messages, for a session type whose content is opaque: client and backend
/// talk end-to-end encrypted, and the engine keeps, orders and streams what it cannot read (section 13 of
/// `Specs/chat-engine.md`).
public enum SealedText {
    /// What such a text begins with.
    static let prefix = "sealed:"

    /// The text of a payload.
    public static func text(of payload: Payload) -> String { prefix + Base64URL.encode(payload.array) }

    /// The payload of a text.
    public static func payload(of text: String) throws(Violation) -> Payload {
        guard text.hasPrefix(prefix) else { throw Violation(.content, "is not sealed", at: "content") }
        do { return Bytes(try Base64URL.decode(String(text.dropFirst(prefix.count)))) } catch {
            throw Violation(.content, "is no base64url behind `sealed:`", at: "content")
        }
    }
}
