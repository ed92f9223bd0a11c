public import AgentChat
import ChatModel

/// Who answers: works on one job after the other of each chat, on many chats at once.
///
/// Returning ends the job as done, throwing as failed. A cancelled task should throw `CancellationError` soon; a job
/// that goes on is taken from it after a while. A job that asked for an approval ends, and its answer is another one.
public protocol Agent: Sendable {
    /// Works on a job.
    func run(_ job: AgentJob) async throws

    /// The service ends: what the agent started beside it ends too.
    func stop() async
}

extension Agent {
    /// Nothing to end.
    public func stop() async {}
}

/// What an agent failed of, in words for the person.
public struct AgentFailure: Error, Sendable, CustomStringConvertible {
    /// One line.
    public let description: String

    /// A failure.
    public init(_ description: String) { self.description = description }
}

/// A job as its agent sees it.
public struct AgentJob: Sendable {
    /// What comes to a job while it runs.
    public enum News: Sendable {
        /// The person put a text in.
        case injected(Identifier, String)
        /// The person answered the questions.
        case answered([Command.Answer])
    }

    /// The job.
    public let id: Identifier
    /// The chat.
    public let chat: Identifier
    /// What was submitted: a message of the user; or the assistant's with approvals that were answered.
    public let message: Message
    /// The messages that are shown, the submitted one included.
    public let history: [Message]
    let room: Room
    let mail = JobMail()

    /// Writes a piece of the message.
    public func write(_ part: MessagePart, consolidated: Bool = false) async throws {
        try Task.checkCancellation()
        try await room.act(.frame(AgentChatAction.write(part, consolidated: consolidated)), in: id)
    }

    /// Appends to the text of the message.
    public func say(_ text: String) async throws {
        try Task.checkCancellation()
        try await room.act(.text(text), in: id)
    }

    /// Asks the person; the answer comes as news.
    public func ask(_ questions: [ServerMessage.Question]) async throws {
        try await room.act(.frame(.ask(questions)), in: id)
    }

    /// Closes the message at a text that was put in, and goes on in a new one.
    public func split(at inject: Identifier) async throws {
        try await room.act(.frame(.split(inject)), in: id)
    }

    /// The next news; nil when the job is cancelled.
    public func news() async -> News? { await mail.next { _ in true } }

    /// The answers to the questions that were asked.
    public func answers() async throws -> [Command.Answer] {
        let news = await mail.next { if case .answered = $0 { true } else { false } }
        guard case .answered(let answers)? = news else { throw CancellationError() }
        return answers
    }

    /// The texts that were put in since the last call.
    public func takeInjections() -> [(id: Identifier, text: String)] { mail.takeInjections() }
}

/// What waits for an agent; the room puts in, one task takes out.
final class JobMail: Sendable {
    private struct State {
        var news: [AgentJob.News] = []
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Lock(State())

    func put(_ news: AgentJob.News) {
        ring { $0.news.append(news) }
    }

    /// The first that is wanted; nil when the task is cancelled.
    func next(_ isWanted: (AgentJob.News) -> Bool) async -> AgentJob.News? {
        while !Task.isCancelled {
            let found = state.withLock { state in
                state.news.firstIndex(where: isWanted).map { state.news.remove(at: $0) }
            }
            if let found { return found }
            let count = state.withLock { $0.news.count }
            await wait(beyond: count)
        }
        return nil
    }

    func takeInjections() -> [(id: Identifier, text: String)] {
        state.withLock { state in
            defer { state.news.removeAll { if case .injected = $0 { true } else { false } } }
            return state.news.compactMap { if case .injected(let id, let text) = $0 { (id, text) } else { nil } }
        }
    }

    private func wait(beyond count: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = state.withLock { state in
                    guard state.news.count == count, !Task.isCancelled else { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            ring { _ in }
        }
    }

    private func ring(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
