public import ChatModel

/// Why a conversation refused.
public enum ConversationCause: RefusalCause, Hashable {
    /// A header that contradicts what the machine knows, and in which way.
    case invalidHeader(String)
    /// A ciphertext or frame too short to hold what it must hold.
    case tooShort(bytes: Int, minimum: Int)
    /// A payload that was received before, or whose key is gone because it is too old.
    case replay(number: UInt64)
    /// A payload so far ahead that more keys would have to be kept than the limit for one payload allows.
    case tooManySkipped(UInt64, limit: Int)
    /// So many payloads in a row could not be opened, for at least a minute, and the code of the last refusal: the keys
    /// of the two sides seem to fit no longer. The next payload that opens takes it back.
    case keysDoNotFit(payloads: Int, last: String)
    /// Nothing can be sent before something was received.
    case nothingReceived
    /// The numbers of the sending chain are used up until the other side answers.
    case chainExhausted(messages: UInt64)
    /// A well-formed frame of a kind that this type does not know.
    case unknownFrame(type: String)
    /// A payload of another kind than this type sends, for example one in clear.
    case unexpectedPayload(type: String)
    /// A frame that cannot be an opening.
    case notAnOpening(type: String)

    /// A conversation type with a parameter or value that does not exist.
    case parameter(String, String)

    /// The words of the interoperability shim, where it has one.
    public var code: String {
        switch self {
        case .invalidHeader: "invalid_header"
        case .tooShort: "malformed"
        case .replay: "replay"
        case .tooManySkipped: "too_many_skipped"
        case .keysDoNotFit: "keys_do_not_fit"
        case .nothingReceived, .chainExhausted: "invalid_state"
        case .unknownFrame, .unexpectedPayload, .notAnOpening, .parameter: "unsupported"
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .invalidHeader(let what): "the header does not fit: \(what)"
        case .tooShort(let bytes, let minimum): "\(bytes) bytes of ciphertext or frame; at least \(minimum) needed"
        case .replay(let number): "payload \(number) was received before or is too old"
        case .tooManySkipped(let count, let limit):
            "\(count) payloads are missing before this one; at most \(limit) are waited for"
        case .keysDoNotFit(let count, let code):
            "\(count) payloads in a row could not be opened (\(code)): the keys of the two sides differ, or payloads are "
                + "forged; an old copy of the data may have been restored. Begin a new contact"
        case .nothingReceived: "nothing can be sent before the other side's first payload was received"
        case .chainExhausted(let count): "\(count) payloads were sent in a row; wait for an answer"
        case .unknownFrame(let type): "a frame of a kind that \(type) does not know; the other side may be newer"
        case .unexpectedPayload(let type): "\(type) does not send payloads of this kind"
        case .parameter(let key, let value): "no conversation type here has parameter \(key)=\(value)"
        case .notAnOpening(let type): "\(type) begins with content and with no other frame"
        }
    }
}

extension Refusal {
    /// Refuses bytes or a state from outside.
    static func invalid(_ cause: ConversationCause) -> Refusal { Refusal(.invalid, cause) }
}
