/// One chat between a client and an agent's service: connection, job and messages, as one pure state machine.
///
/// Either side keeps one, and hands it what was sent, what came, and what became of the connection. A step that is
/// refused changes nothing, and the next one goes on. Nothing here reads a clock, sends or stores.
public struct ChatState: Hashable, Sendable {
    /// The most messages that are kept; of those that are on no path the oldest go first.
    public static let maximumMessages = 4_096

    /// What a step did to the messages, for whoever shows them.
    public enum Effect: Hashable, Sendable {
        /// Nothing that is seen: a repetition, a second cancel, an error of no job.
        case none
        /// The connection may be used.
        case ready
        /// What was submitted waits for the service.
        case submitted(Identifier)
        /// What was submitted failed; nothing of it runs.
        case refused(Identifier?, ServerMessage.Failure?)
        /// A message is written.
        case opened(Identifier)
        /// A message has more parts, or other ones.
        case updated(Identifier)
        /// All messages may have changed.
        case history
        /// The person is asked.
        case asked(ServerMessage.ClarifyRequest)
        /// A command was accepted.
        case commanded
        /// An injected text was accepted.
        case acknowledged(Identifier)
        /// A message was closed, an injected text stands behind it, and another message goes on. Without a text
        /// another client sent it, and the history has it.
        case split(ServerMessage.InjectSplit, text: String?)
        /// The job is over.
        case ended(Job.Outcome, ServerMessage.Failure?)
    }

    /// The chat.
    public let chat: Identifier
    /// The connection.
    public internal(set) var connection = Connection()
    /// The job.
    public internal(set) var job = Job()
    /// The ids of the messages that are shown, in their order.
    public internal(set) var path: [Identifier] = []
    /// Users' messages that the service refused.
    public internal(set) var failed: Set<Identifier> = []
    var messages: [Identifier: Message] = [:]
    /// When each message was seen first.
    var order: [Identifier] = []
    /// The parts of the message that is written.
    var current = PartAccumulator()
    /// Messages that were dropped, for whoever stores them.
    var forgotten: [Identifier] = []
    /// What was submitted and has no job yet.
    var submission: Identifier?

    /// A chat without messages, connection and job.
    public init(chat: Identifier) {
        self.chat = chat
    }

    /// All messages that are kept, the first seen first.
    public var all: [Message] { order.compactMap { self[$0] } }

    /// The messages that are shown.
    public var shown: [Message] { path.compactMap { self[$0] } }

    /// A message with all its parts so far.
    public subscript(id: Identifier) -> Message? {
        guard var message = messages[id] else { return nil }
        if id == job.message { message.parts = current.parts }
        return message
    }

    /// The parts of the message that is written as JSON, in bytes.
    public var currentSize: Int { current.size }

    /// The connection changes.
    public mutating func connect() { connection.connect() }

    /// The connection stands.
    public mutating func open() { connection.open() }

    /// The connection is lost; a job lives on.
    public mutating func drop() { connection.drop() }
}

// Messages.
extension ChatState {
    /// Adds a message, or replaces it.
    mutating func put(_ message: Message) {
        if messages.updateValue(message, forKey: message.id) == nil {
            order.append(message.id)
            if order.count > Self.maximumMessages { forget() }
        }
        if message.id == job.message { current = PartAccumulator(message.parts) }
    }

    /// Turns from the message that was written to that of a job which was accepted.
    mutating func turn(to next: Job, parts: [MessagePart]? = nil) {
        settle()
        job = next
        guard let id = next.message else {
            current = PartAccumulator()
            return
        }
        if messages[id] == nil { put(Message(id: id, role: .assistant, parts: [])) }
        if let parts { messages[id]?.parts = parts }
        current = PartAccumulator(messages[id]?.parts ?? [])
        show(id)
    }

    /// Puts the parts of the message that is written where those of all others are.
    mutating func settle() {
        if let id = job.message { messages[id]?.parts = current.parts }
    }

    /// Appends a message to those that are shown.
    mutating func show(_ id: Identifier) {
        if path.last != id, !path.contains(id) { path.append(id) }
    }

    private mutating func forget() {
        let kept = Set(path).union([job.message, submission].compactMap(\.self))
        guard let index = order.firstIndex(where: { !kept.contains($0) }) ?? order.indices.first else { return }
        let id = order.remove(at: index)
        messages[id] = nil
        forgotten.append(id)
        path.removeAll { $0 == id }
        failed.remove(id)
    }
}
