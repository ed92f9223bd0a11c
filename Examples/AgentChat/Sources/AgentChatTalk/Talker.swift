public import AgentChat
import ChatClient
import ChatCodec
import ChatModel

/// A person at a terminal: five choices of the framework, lines in, lines out.
///
/// A line is a message; while a job lives it is put into the answer. An approval is answered by `y`, or `n` and a reason,
/// a question by a number of its options or by words. `/stop` stops the answer, `/quit` ends the program.
public actor Talker {
    private let client: Client
    private let conversation: ConversationID
    private let write: @Sendable (String) -> Void
    private var isLive = false
    private var questions: [ServerMessage.Question] = []
    private var answers: [Command.Answer] = []
    private var approvals: [Identifier] = []
    private var settled: Set<Identifier> = []
    /// Calls whose end was shown.
    private var ended: Set<Identifier> = []
    private var shown: Set<Identifier> = []
    /// How much of the text of the message that is written was shown.
    private var written: (message: Identifier, text: String)?
    private var reading: Task<Void, Never>?
    /// Messages that were sent, and neither taken nor refused.
    private var unsent = 0
    private var hasSpoken = false
    /// Whether an approval was answered whose job has not ended.
    private var isApproving = false
    /// How many events came.
    private var heard: UInt64 = 0
    /// Whether a message was not sent, or an answer failed.
    private var hasFailed = false

    /// Enters a chat of a service, or a new one.
    public static func enter(
        _ service: ServiceAddress, chat: Identifier? = nil, write: @escaping @Sendable (String) -> Void
    ) async throws -> Talker {
        let account = HTTPAccount(service)
        let suite = try ChatSuite(
            discovery: AgentChats(account), initialization: AgentReady(), conversations: [AgentChat()],
            delivery: WebSocketDelivery(service), framing: AgentFraming())
        let id: Identifier =
            if let chat = chat ?? service.chat { chat } else {
                try await account.create(nil, title: "In a terminal").id
            }
        let client = try await Client(suite)
        var found = try await client.find(id.text).makeAsyncIterator()
        guard let introduction = try await found.next()?.first else { throw DiscoveryError.notFound(id.text) }
        write("\(suite.name), chat \(id)\n")
        let conversation = try await client.begin(with: introduction)
        let talker = Talker(client, conversation, write)
        await talker.read()
        return talker
    }

    private init(_ client: Client, _ conversation: ConversationID, _ write: @escaping @Sendable (String) -> Void) {
        (self.client, self.conversation, self.write) = (client, conversation, write)
    }

    /// Ends the conversation here; the chat goes on at the service.
    public func close() async {
        reading?.cancel()
        _ = await client.flush(within: .seconds(5))
        await client.close()
    }

    private func read() {
        reading = Task {
            for await batch in client.events { for event in batch.events { hear(event) } }
        }
    }
}

// What the person types.
extension Talker {
    /// Takes a line; false if it was the last.
    public func take(_ line: String) async -> Bool {
        guard line != "/quit" else { return false }
        do {
            switch line {
            case "/stop": try await act(.cancel)
            case _ where line.allSatisfy(\.isWhitespace): break
            case _ where !questions.isEmpty: try await answer(line)
            case _ where isLive: try await act(.inject(line))
            case _ where !approvals.isEmpty && (line == "y" || line == "n" || line.hasPrefix("n ")):
                let id = approvals.removeFirst()
                settled.insert(id)
                let reason = line.count > 2 ? String(line.dropFirst(2)) : nil
                try await act(.approve(id, line == "y", reason: reason))
                isApproving = true
            default:
                (unsent, hasSpoken) = (unsent + 1, true)
                do { try await client.send(Content(line), in: conversation) } catch {
                    unsent -= 1
                    throw error
                }
            }
        } catch {
            hasFailed = true
            write("! \(error)\n")
        }
        return true
    }

    /// Waits until nothing is under way: what was sent was answered, or the agent asks. For lines that nobody types.
    ///
    /// - Returns: whether all went well: everything was sent, no answer failed, nothing waits for the person, and the
    ///   service said something within `patience`.
    public func settle(patience: Duration = .seconds(60)) async -> Bool {
        var (deadline, last) = (ContinuousClock.now + patience, heard)
        while unsent > 0 || isApproving || (isLive && questions.isEmpty) {
            if heard != last { (deadline, last) = (ContinuousClock.now + patience, heard) }
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return !hasFailed && questions.isEmpty && approvals.isEmpty
    }

    /// What a key stands for.
    public enum KeyAnswer: Equatable, Sendable {
        /// A whole line.
        case whole(String)
        /// The start of a line.
        case start(String)
    }

    /// What a key answers by itself, at the start of a line; nil where it is text like any other. `r` starts a refusal
    /// with a reason.
    public func answer(of key: Character) -> KeyAnswer? {
        if !questions.isEmpty {
            let question = questions[answers.count]
            guard let options = question.options, (1...9).contains(options.count), question.multiple != true,
                let number = key.isASCII ? key.wholeNumberValue : nil, (1...options.count).contains(number)
            else { return nil }
            return .whole(String(number))
        }
        guard !isLive, !approvals.isEmpty else { return nil }
        switch key {
        case "y", "n": return .whole(String(key))
        case "r": return .start("n ")
        default: return nil
        }
    }

    private func act(_ action: AgentChatAction) async throws {
        try await client.perform(action.action, in: conversation)
    }

    private func answer(_ line: String) async throws {
        let question = questions[answers.count]
        guard let options = question.options, !options.isEmpty else {
            return try await add(.init(question: question.id, text: line))
        }
        let numbers = line.split { !$0.isNumber }.compactMap { Int($0) }
        guard !numbers.isEmpty, numbers.allSatisfy((1...options.count).contains),
            numbers.count == 1 || question.multiple == true
        else { return write("? a number from 1 to \(options.count)\n") }
        try await add(.init(question: question.id, options: numbers.map { options[$0 - 1].id }))
    }

    private func add(_ answer: Command.Answer) async throws {
        answers.append(answer)
        guard answers.count == questions.count else { return ask() }
        let all = answers
        (questions, answers) = ([], [])
        try await act(.answer(all))
    }

    private func ask() {
        let question = questions[answers.count]
        let options = (question.options ?? []).enumerated().map { " (\($0 + 1) \(clean($1.label)))" }.joined()
        write("? \(clean(question.text))\(options)\n")
    }
}

// What the agent says.
extension Talker {
    private func hear(_ event: ClientEvent) {
        heard &+= 1
        switch event {
        case .conversation(_, .content(let received)) where received.part == .delta:
            isLive = true
            let piece = String(decoding: received.content.array, as: UTF8.self)
            if let id = received.reference.flatMap(Identifier.init(checking:)) { grow(id, by: piece) }
        case .conversation(_, .status(_, .delivered)):
            (isLive, unsent) = (true, max(0, unsent - 1))
        case .conversation(_, .status(_, .failed(let reason))):
            (hasFailed, unsent) = (true, max(0, unsent - 1))
            write("! not sent: \(clean(reason))\n")
        case .conversation(_, let event): if let event = AgentChatEvent(event) { hear(event) }
        case .link(.interrupted(let reason, _)): write("\n! the connection is lost (\(clean(reason))); trying again\n")
        case .link(.resumed): write("! connected again\n")
        case .refused(_, let report): write("! \(clean(report.description))\n")
        case .failed(_, let report): write("! \(clean(report.description))\n")
        default: break
        }
    }

    private func hear(_ event: AgentChatEvent) {
        switch event {
        case .delta(_, let part, _): show(part)
        case .snapshot(let message):
            isLive = true
            catchUp(message)
        case .whole(let message):
            catchUp(message)
            shown.insert(message.id)
        case .history(let messages):
            for message in messages where shown.insert(message.id).inserted && written?.message != message.id {
                write("\(message.role == .user ? ">" : "<") \(clean(message.text))\n")
                for part in message.parts { show(part) }
            }
        case .asked(let request):
            isLive = true
            (questions, answers) = (request.questions, [])
            write("\n")
            ask()
        case .ended(let outcome, let reason, let unread):
            (isLive, isApproving, questions, answers) = (false, false, [], [])
            if outcome == .failed, hasSpoken { hasFailed = true }
            write("\n[\(outcome.rawValue)\(reason.map { ": \(clean($0))" } ?? "")]\n")
            for text in unread { write("! not read: \(clean(text))\n") }
            for id in approvals { write("? approve \(clean(id.text))? y, or n and a reason\n") }
        default: break
        }
    }

    private func grow(_ id: Identifier, by piece: String) {
        if written?.message != id { written = (id, "") }
        written?.text += piece
        write(clean(piece))
    }

    /// The rest of a text of which some was shown.
    private func catchUp(_ message: Message) {
        if written?.message != message.id { written = (message.id, "") }
        let (text, known) = (message.text, written?.text ?? "")
        if text.hasPrefix(known) {
            write(clean(String(text.dropFirst(known.count))))
        } else {
            write("\n" + clean(text))
        }
        written = (message.id, text)
        for part in message.parts { if case .tool = part { show(part) } }
    }

    private func show(_ part: MessagePart) {
        switch part {
        case .tool(let tool):
            guard let id = tool.state.approvalID, case .approvalRequested(let input, _) = tool.state else {
                if tool.state.isFinal, ended.insert(tool.callID).inserted {
                    write("\n[\(name(tool)): \(tool.state.word)]\n")
                }
                return
            }
            guard !settled.contains(id), !approvals.contains(id) else { return }
            approvals.append(id)
            write("\n[\(name(tool)) \(clean(input.description))]\n")
        case .sourceURL(let source): write("\n[source: \(clean(source.title ?? source.url)) \(clean(source.url))]\n")
        case .file(let file):
            write("\n[file: \(clean(file.filename ?? file.mediaType)) \(clean(String(file.url.prefix(200))))]\n")
        default: break
        }
    }

    private func name(_ tool: ToolPart) -> String {
        switch tool.name {
        case .fixed(let name), .dynamic(let name): clean(tool.title ?? name)
        }
    }

    /// Without what a terminal would obey: control characters but for line ends and tabs, and marks of direction.
    private func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { scalar in
                    if scalar == "\n" || scalar == "\t" { return true }
                    let category = scalar.properties.generalCategory
                    return category != .control && (category != .format || scalar == "\u{200D}")
                }))
    }
}
