/// A state machine without I/O: what Initialization and Conversation have in common.
///
/// For implementers: `receive` sees hostile bytes. It first decides, which may throw, then
/// authenticates, then applies, which cannot fail; a receive that throws leaves the machine exactly
/// as it was. Keep bounds on everything that a stranger can make you store.
public protocol Machine: Sendable {
    /// The payloads that the machine wants to receive. They follow from the state, also after a restore; the client
    /// reads them after each step, so keep the array stored where steps are many.
    var listening: [Listening] { get }

    /// When the machine wants to be woken with ``Signal/due``, if at all. It follows from the state, also after a
    /// restore, and is read after each step; after ``Signal/due`` it MUST be later than ``Step/now`` (MODEL-6).
    var nextWake: Timestamp? { get }

    /// Takes a payload that the framing found to be for this machine.
    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal)

    /// Takes a signal: it cannot be refused.
    mutating func handle(_ signal: Signal, in step: inout Step)

    /// The records that changed since the last call, in the order they are to be applied.
    mutating func takeChanges() -> [Record]
}

extension Machine {
    /// Machines without timers are never woken.
    public var nextWake: Timestamp? { nil }

    /// Machines without timers need not listen to signals.
    public mutating func handle(_ signal: Signal, in step: inout Step) {}

    /// Machines without state have nothing to store.
    public mutating func takeChanges() -> [Record] { [] }
}

/// Something that happened around a machine.
public enum Signal: Sendable, Hashable {
    /// The machine was made.
    case started
    /// The machine was restored from its records after a restart.
    case restored
    /// The time of ``Machine/nextWake`` has come, or passed while the client was away.
    case due
    /// The delivery service lost its link: of all addresses, or of one that the machine listens to.
    case linkLost(on: DeliveryAddress?)
    /// The delivery service has its link again.
    case linkBack(on: DeliveryAddress?)
    /// An address has ended, and why. For who listens to it, the reply is over; for who was asked to reply there, its
    /// last listener is gone.
    case replyEnded(DeliveryAddress, Ending)
    /// The service took every payload of a content.
    case published(ContentID)
    /// The service refused a payload of a content for good.
    case refused(ContentID, DeliveryError)
    /// A contact has ended: the other side was heard, or the contact was given up.
    case contactEnded(ContactID)
}

/// A request of the application to a conversation.
public enum Action: Sendable {
    /// Sends content, whole or in part; all parts of one content are sent under the same id (PART-2).
    case send(Content, part: Part = .whole, about: Target? = nil)
    /// Takes back a content of our own, or wants no more of one that comes.
    case cancel(Target)
    /// Adds members, each by a seed that their bundle gave.
    case add([ConversationSeed])
    /// Removes members.
    case remove([PublicKey])
    /// Leaves for good.
    case leave
    /// An action that only one conversation type defines, with a typed façade beside that type.
    case frame(kind: String, bytes: Bytes)

    /// The action's name, for refusals.
    public var name: String {
        switch self {
        case .send(_, part: .whole, about: nil): "send"
        case .send(_, let part, about: nil): "send \(part.word)"
        case .send(_, let part, _): "send \(part.word) as an answer"
        case .cancel: "cancel"
        case .add: "add"
        case .remove: "remove"
        case .leave: "leave"
        case .frame(let kind, _): kind
        }
    }
}
