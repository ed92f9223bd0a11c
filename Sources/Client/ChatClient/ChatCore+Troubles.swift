internal import ChatCodec
internal import ChatModel

// Conversations whose keys seem to fit no longer (CORE-20).
extension ChatCore {
    /// Why the keys of a conversation seem to fit no longer.
    struct Trouble: Sendable, Hashable {
        /// Whether it was noticed here; otherwise the other side said so.
        let isOwn: Bool
        let reason: String
    }

    /// The code by which a machine says so, and with which the application is told.
    static let keysDoNotFit = "keys_do_not_fit"

    /// Tells the application of a refused payload, as often as is useful.
    mutating func note(_ refusal: Refusal, in conversation: ConversationID?) {
        if refusal.cause.code == Self.keysDoNotFit, let conversation {
            return doubt(conversation, refusal.cause.description, tellsOther: true)
        }
        guard let folded = refusals.note(refusal, in: conversation, at: now) else { return }
        fresh.append(report(refusal, in: conversation, folded: folded))
    }

    /// Takes it that the keys of a conversation fit no longer: the application is told once, and so is the other side.
    ///
    /// The conversation goes on: a stranger can make it look like that, and the next payload that opens takes it back.
    mutating func doubt(_ id: ConversationID, _ reason: String, tellsOther: Bool) {
        guard let about = hosted[id]?.about else { return }
        guard troubles[id] == nil else {
            if tellsOther, troubles[id]?.isOwn == true, !isSentAgain(about.type) { tellOther(id) }
            return
        }
        let trouble = Trouble(isOwn: tellsOther, reason: reason)
        troubles[id] = trouble
        changes.records.append(Record(Keys.trouble(id), trouble.encoded))
        fresh.append(.broken(id, ClientEvent.Report(.invalid, code: Self.keysDoNotFit, text: reason)))
        if tellsOther { tellOther(id) }
    }

    /// Whether a type sends again what is lost.
    private func isSentAgain(_ type: ConversationType) -> Bool {
        types[type]?.facts.claims.contains { $0.property == .lossRecovery && $0.holds } ?? false
    }

    /// How long after a notice the next one may be sent, where notices may be lost.
    private static let noticePause = Duration.seconds(600)

    /// Says to the other side that what it sends cannot be opened here.
    private mutating func tellOther(_ id: ConversationID) {
        guard notices[id].map({ $0 + Self.noticePause <= now }) ?? true else { return }
        notices[id] = now
        // A type without placeholders has no way to tell.
        do throws(Refusal) {
            let action = ContentID(numbers.content + 1)
            try perform(.frame(kind: UnopenedNotice.kind, bytes: UnopenedNotice.encoded), as: action, in: id)
            numbers.content = action.number
        } catch {}
    }

    /// The keys of a conversation fit, one way or the other: a payload was opened here, or one of ours there.
    mutating func trust(_ id: ConversationID, opened isOwn: Bool) {
        guard troubles[id]?.isOwn == isOwn else { return }
        (troubles[id], notices[id]) = (nil, nil)
        changes.records.append(Record(Keys.trouble(id), nil))
    }

    /// An event of a conversation, completed with the state of its keys.
    mutating func interpret(_ event: Event, of id: ConversationID) -> Event? {
        switch event {
        case .status(let content, .failed(let reason)):
            guard let trouble = troubles[id] else { return event }
            return .status(content, .failed("\(reason); \(trouble.reason)"))
        case .status(_, .delivered):
            trust(id, opened: false)
            return event
        case .frame(UnopenedNotice.kind, let bytes, _) where UnopenedNotice.isNotice(bytes):
            doubt(id, "the other side cannot open what is sent to it: keys fit no longer", tellsOther: false)
            return nil
        default: return event
        }
    }
}

/// The placeholder by which one side says that it cannot open the other's payloads: field 2 is 1.
///
/// To anybody else it is a placeholder whose counter is 0.
private enum UnopenedNotice {
    static let kind = "placeholder"
    static let encoded: Bytes = [0x10, 0x01]

    static func isNotice(_ bytes: Bytes) -> Bool {
        var reader = ProtoReader(bytes.span)
        var isNotice = false
        do {
            while let field = try reader.next() {
                if field == 2 { isNotice = try reader.uint64() == 1 }
            }
        } catch { return false }
        return isNotice
    }
}
