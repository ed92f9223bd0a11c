/// What one side of a chat tells its application.
public enum SideEvent: Hashable, Sendable {
    /// A piece of the message that is written came, and was folded in.
    case delta(Identifier, MessagePart, consolidated: Bool)
    /// A message as it is so far.
    case snapshot(Message)
    /// A message is whole; nothing is added to it any more. A continuation may write it again.
    case whole(Message)
    /// The messages that are shown.
    case history([Message])
    /// The other side has what was submitted: a job works on it.
    case taken(Identifier)
    /// The other side refused what was submitted.
    case refused(Identifier?, String)
    /// A person submitted a message, and a job began, which writes another one. For the agent.
    case submitted(Message, job: Identifier, writes: Identifier)
    /// The job asks.
    case asked(ServerMessage.ClarifyRequest)
    /// The person answered. For the agent.
    case answered(Command.ClarifyResponse)
    /// The person wants the job to end. For the agent.
    case cancelAsked(job: Identifier)
    /// A text was put into the job. For the agent.
    case injected(Command.InjectMessage)
    /// A text that was put in was accepted.
    case acknowledged(Identifier)
    /// The job is over; with the texts that it did not read.
    case ended(Job.Outcome, String?, unread: [String])
    /// What came broke a rule and changed nothing.
    case violation(Violation)
}

/// What a side wants sent and told, in this order.
public struct SideOutput: Sendable {
    /// The frame by which a client says that it is there, where the transport has no connections. It is an object
    /// without a type, so that no decoder takes it for anything else.
    public static let hello = Array("{}".utf8)

    /// Whether a frame is that word.
    static func isHello(_ bytes: Span<UInt8>) -> Bool {
        bytes.count == hello.count && bytes[0] == hello[0] && bytes[1] == hello[1]
    }

    /// Frames for the other side, oldest first.
    public var frames: [[UInt8]] = []
    /// For the application.
    public var events: [SideEvent] = []

    /// Nothing.
    public init() {}
}
