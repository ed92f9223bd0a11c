public import ChatModel

/// Why the client itself refused.
public enum ClientCause: RefusalCause, Hashable {
    /// No conversation of that id is here.
    case unknownConversation(ConversationID)
    /// A new conversation has the id of one that is here (CT-03).
    case duplicateConversation(ConversationID)
    /// The first contact of a conversation has not come to an end yet.
    case pendingConversation(ConversationID)
    /// Nobody answered a first contact for as long as it was sent again.
    case unanswered
    /// The records are of an earlier version of this package.
    case olderData
    /// The conversation type put nothing into the invite.
    case noOpening(ConversationType)
    /// The conversation type put something into an invite, and there is nobody to invite.
    case nobodyInvited(ConversationType)
    /// A content did not arrive in a trial of its composition.
    case notArrived(ConversationType)
    /// As many as the limit allows are here.
    case tooMany(String, limit: Int)
    /// Conversations exceed the room for their state; one that held so many bytes had to give way.
    case noRoom(bytes: Int)
    /// A bundle that is good once has begun a conversation here.
    case usedBundle(ConversationID)
    /// The consequences of a payload cannot be stored.
    case notStored(String)
    /// The delivery service refuses to deliver from so many addresses.
    case notSubscribed(Int, String)
    /// The delivery service does not offer what a payload needs.
    case lacks(Capability)
    /// A payload is for a machine that has gone.
    case noSuchOwner

    /// The words of the interoperability shim, where it has one.
    public var code: String {
        switch self {
        case .unknownConversation: "unknown_conversation"
        case .duplicateConversation: "duplicate_conversation"
        case .pendingConversation: "pending"
        case .unanswered: "unanswered"
        case .olderData: "older_data"
        case .noOpening: "no_opening"
        case .nobodyInvited: "nobody_invited"
        case .notArrived: "not_arrived"
        case .tooMany: "too_many"
        case .noRoom: "no_room"
        case .usedBundle: "used_bundle"
        case .notStored: "not_stored"
        case .notSubscribed: "not_subscribed"
        case .lacks: "unsupported"
        case .noSuchOwner: "no_such_owner"
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .unknownConversation(let id): "no conversation \(id) here"
        case .duplicateConversation(let id): "conversation \(id) is here already"
        case .pendingConversation(let id): "conversation \(id) has not begun yet; only content can be sent in it"
        case .unanswered: "nobody answered the first contact: somebody else used the bundle, or it has expired"
        case .olderData:
            "the stored data is of an earlier version, which this one does not read; use that version or begin anew"
        case .noOpening(let type): "\(type) has nothing to say in an invite"
        case .nobodyInvited(let type): "\(type) begins with an invite, and nobody is invited; it founds no group"
        case .notArrived(let type): "a content of \(type) did not arrive"
        case .tooMany(let what, let limit): "\(limit) \(what) at most; wait until some are done"
        case .noRoom(let bytes): "there is no room: unfinished contents of this conversation take \(bytes) bytes"
        case .usedBundle(let id):
            "this link is good once, and conversation \(id) was begun with it; ask for another one"
        case .notStored(let reason): "a payload was left out, because what follows from it cannot be stored: \(reason)"
        case .notSubscribed(let count, let reason):
            "the delivery service delivers nothing from \(count) delivery addresses for now: \(reason)"
        case .lacks(let capability): "the delivery service offers no \(capability.rawValue)"
        case .noSuchOwner: "nobody here owns this payload"
        }
    }
}
