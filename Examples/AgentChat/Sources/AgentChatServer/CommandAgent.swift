import AgentChat
import ChatCodec
import ChatModel
import Foundation

/// Runs a program for each job, which speaks JSON lines on its standard input and output, so that any model can be
/// attached; the README describes the lines.
public struct CommandAgent: Agent {
    /// The longest line of a program in bytes.
    public static let maximumLine = 2 << 20

    private let command: [String]
    private let programs = Programs()

    /// An agent that runs a command line with the shell.
    public init(_ line: String) { command = ["/bin/sh", "-c", line] }

    /// Ends all programs; returns when none is left, at the latest after two seconds.
    public func stop() async { await programs.stop() }

    /// Runs the program until it ends, says `done` or `fail`, or the job is cancelled.
    public func run(_ job: AgentJob) async throws {
        let program = try programs.start(command)
        defer { programs.end(program) }
        program.write(Self.first(job))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await line in program.lines {
                    if try await Self.obey(line, job, program) { return true }
                    program.took()
                }
                try Task.checkCancellation()
                if let failure = try await program.failure() { throw AgentFailure(failure) }
                return true
            }
            group.addTask {
                while let news = await job.news() { program.write(Self.line(news)) }
                program.write(["type": "cancel"])
                throw CancellationError()
            }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private static func first(_ job: AgentJob) -> JSON {
        [
            "type": "run", "chat_id": .string(job.chat.text), "job_id": .string(job.id.text),
            "message": json(job.message), "history": .array(job.history.map(json)),
        ]
    }

    private static func json(_ message: Message) -> JSON {
        (try? JSON(parsing: AgentJSON().encode(message).span, maximumDepth: AgentJSON.maximumDepth)) ?? .null
    }

    private static func line(_ news: AgentJob.News) -> JSON {
        switch news {
        case .injected(let id, let text):
            return ["type": "inject", "inject_id": .string(id.text), "text": .string(text)]
        case .answered(let answers):
            let frame = AgentJSON().encode(.clarifyResponse(.init(job: "j", request: "r", answers: answers)))
            let list = (try? JSON(parsing: frame.span))?["data"]?["answers"] ?? []
            return ["type": "answers", "answers": list]
        }
    }

    /// Does what a line says; true if it was the last.
    private static func obey(_ line: [UInt8], _ job: AgentJob, _ program: ChildProgram) async throws -> Bool {
        guard let json = try? JSON(parsing: line.span, maximumBytes: maximumLine, maximumDepth: AgentJSON.maximumDepth)
        else { throw AgentFailure("the program wrote a line that is no JSON") }
        switch json["type"]?.text {
        case "text"?: try await job.say(json["text"]?.text ?? "")
        case "delta"?:
            try await job.write(
                try AgentJSON().part(json["part"] ?? .null), consolidated: json["consolidated"]?.bool == true)
        case "ask"?:
            let frame: JSON = [
                "type": "clarify_request", "job_id": "j", "request_id": "r", "questions": json["questions"] ?? .null,
            ]
            let bytes = Array(frame.description.utf8)
            guard case .clarifyRequest(let request) = try AgentJSON().serverMessage(bytes.span) else { return false }
            try await job.ask(request.questions)
        case "split"?:
            guard let id = json["inject_id"]?.text.flatMap(Identifier.init(checking:)) else {
                throw AgentFailure("the program split at no inject_id")
            }
            try await job.split(at: id)
        case "done"?: return true
        case "fail"?: throw AgentFailure(json["message"]?.text ?? "the program failed")
        default: throw AgentFailure("the program wrote a line of an unknown type")
        }
        return false
    }
}

/// The programs that run, or are ending.
private final class Programs: Sendable {
    private let all = Lock<[ObjectIdentifier: ChildProgram]>([:])

    func start(_ command: [String]) throws -> ChildProgram {
        let program = try ChildProgram(command)
        all.withLock { $0[ObjectIdentifier(program)] = program }
        return program
    }

    func end(_ program: ChildProgram) {
        let ending = program.end()
        Task {
            await ending.value
            all.withLock { $0[ObjectIdentifier(program)] = nil }
        }
    }

    func stop() async {
        let endings = all.withLock { $0.values.map { $0.end() } }
        for ending in endings { await ending.value }
    }
}
