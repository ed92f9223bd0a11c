import ChatClient
import ChatCodec
import ChatDeliveryService
import ChatModel
import ChatPlatform
import ChatTool

/// One run of the peer: requests in, events out.
///
/// Requests are carried out in the order in which they are read, one at a time, and each is answered
/// before the next one is read; what the client tells is shown as it comes.
actor Session {
    let client: Client
    let settings: Settings
    let output: Output
    let identity: PublicKey
    /// Where what is typed goes.
    var choice = Choice.open
    /// The conversation that is chosen, if one is.
    var current: ConversationID? { if case .chosen(let id) = choice { id } else { nil } }
    /// What this peer itself keeps.
    let stored: PeerStorage
    /// The last lines of each conversation.
    var history = History()
    /// What conversations are called on this screen.
    var labels: [ConversationID: String] = [:]
    /// The conversations in the order in which this run came to know them: their numbers for `/to`, which never change.
    var known: [ConversationID] = []
    /// Conversations of more than two people.
    var groups: Set<ConversationID> = []
    /// Contents that came while another conversation was chosen.
    var unread: [ConversationID: Int] = [:]
    /// Links that were made in this run, and the newest of them.
    var handedOut: Set<String> = []
    var newestLink: String?
    /// Somebody to whom the next content is to be said first.
    var pending: Contact?
    /// Content accepted in this run of which nobody has said that it is sent or failed.
    var unsent: Set<ContentID> = []
    /// Content of which that was said before its request was answered; answers come in the order of the numbers.
    var settledEarly: Set<ContentID> = []
    /// Files that were accepted in this run, until something final is known of them.
    var fileNames: [ContentID: String] = [:]
    /// Whether the run is over, and nothing more is tried.
    var isEnding = false
    /// Why the relay could not be reached last.
    private var relayTrouble: DeliveryError?
    /// Whether a signal came.
    private var isInterrupted = false
    /// The content whose request was answered last.
    var lastAnswered = ContentID(0)

    /// With whom what is typed is said; never guessed (PEER-14).
    enum Choice: Equatable {
        /// There was nobody to choose yet: the first conversation will be.
        case open
        case chosen(ConversationID)
        /// Nobody until somebody is chosen: there are several, or the last choice failed.
        case nobody
    }

    /// Somebody to begin a conversation with.
    struct Contact {
        let link: PastedLink
        let type: String?
        var text: String { link.text }

        init(_ link: PastedLink, type: String?) { (self.link, self.type) = (link, type) }
    }

    init(_ client: Client, _ settings: Settings, _ output: Output, stored: PeerStorage) {
        (self.client, self.settings, self.output, self.stored) = (client, settings, output, stored)
        identity = stored.identity.publicKey
        for (id, text) in stored.histories { history.restore(text, of: id) }
    }

    /// Runs until the input ends, somebody quits, a signal comes or nothing more can be shown.
    func run(until signals: Signals) async -> ExitCode {
        await showStart()
        let (endings, ending) = AsyncStream.makeStream(of: ExitCode.self)
        let events = Task {
            for await batch in client.events {
                guard await show(batch) else { break }
            }
        }
        let interruption = Task { await end(ending, at: signals) }
        let others = [
            Task { await introduceAtStart() },
            Task { await saveHistoryRegularly() },
            Task {
                for await _ in output.failures {
                    Terminal.complain("chat-peer: nothing more is received; what was accepted is sent")
                    ending.yield(await finish(lingering: settings.linger))
                }
            },
            Task {
                if let text = settings.find {
                    await answer(TaggedRequest(request: .connect(text, saying: nil, type: nil), tag: nil))
                }
                let code = await readRequests()
                let end = await finish(lingering: settings.linger)
                ending.yield(code == .success ? end : code)
            },
        ]
        // A signal ends the lingering, too.
        var first = endings.makeAsyncIterator()
        let code = await first.next() ?? .failure
        isEnding = true
        for task in others { task.cancel() }
        await client.close()
        await events.value
        saveHistory()
        interruption.cancel()
        return code
    }

    /// Ends the run at the first signal, and the process at the second.
    private func end(_ ending: AsyncStream<ExitCode>.Continuation, at signals: Signals) async {
        for await _ in signals.stream() {
            guard !isInterrupted else { ExitCode.failure.exit() }
            isInterrupted = true
            Terminal.stopWaitingForReader()
            Task { ending.yield(await finish(lingering: .zero)) }
        }
    }

    /// Reads requests and carries them out until the input ends or one is to quit.
    private func readRequests() async -> ExitCode {
        var input = StandardInput()
        while true {
            do throws(ErrorNumber) {
                guard let line = try await input.next(), !output.isBroken else { return .success }
                guard await carryOut(line) else { return .success }
            } catch {
                await output.show(.error("input", "standard input: \(error)"))
                return .failure
            }
        }
    }

    /// Carries out what a line asks for; false if it is to quit.
    private func carryOut(_ line: StandardInput.Line) async -> Bool {
        do throws(RequestError) {
            guard let asked = try read(line) else { return true }
            if case .quit = asked.request { return false }
            await answer(asked)
        } catch {
            if error.leavesNobody { chooseNobody() }
            await output.show(.error("malformed", error.description, tag: error.tag))
        }
        return true
    }

    private func read(_ line: StandardInput.Line) throws(RequestError) -> TaggedRequest? {
        switch line {
        case .tooLong(let limit): throw RequestError("a line of more than \(limit) bytes was skipped")
        case .text(let text) where settings.isJSON: return try TaggedRequest(programLine: text)
        case .text(let text): return try Request(line: text).map { TaggedRequest(request: $0, tag: nil) }
        }
    }

    /// Waits until what was accepted is sent; fails if it is not and nobody keeps it.
    private func finish(lingering time: Duration) async -> ExitCode {
        let end = ContinuousClock.now + time
        let isSent = await client.flush(within: time)
        // The events that say so are on their way, if anybody reads them.
        while isSent, !unsent.isEmpty, !output.isBroken, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(5))
        }
        let waiting = await client.waiting
        guard waiting.payloads > 0 else { return .success }
        let what = "\(waiting.payloads) payloads are not sent"
        guard settings.data == nil else {
            await output.show(.error("waiting", "\(what); they are kept and go out at the next start"))
            return .success
        }
        await output.show(.error("lost", "\(what) and are lost, because nothing is kept (--data DIR)"))
        return .failure
    }

    private func showStart() async {
        let kept = settings.data.map { "kept in \($0)" } ?? "nothing is kept after the end (--data DIR)"
        let text = "\(client.suite.name)\nrelay \(settings.relay); \(kept)"
        await output.show(
            .remark(
                text,
                .event(
                    "ready",
                    [
                        "suite": .string(client.suite.name.description), "name": .string(settings.name),
                        "identity": .string(identity.description), "relay": .string(settings.relay),
                        "data": settings.data.map { .string($0) } ?? .null,
                    ])))
        if !stored.exposed.isEmpty {
            let what = stored.exposed.joined(separator: ", ")
            await output.show(
                .error(
                    "exposed",
                    "others could read or write \(what) until now; these rights are taken away. If a passphrase opens the "
                        + "directory, begin another one with a new passphrase, since this one may have been tried"))
        }
        let conversations = await client.conversations
        for summary in conversations {
            labels[summary.id] = stored.names[summary.id] ?? Self.label(summary.id, summary.peers)
            known.append(summary.id)
        }
        choice = Choice(kept: stored.choice, among: conversations.map(\.id))
        if client.suite.delivery is InMemoryDeliveryService {
            let advice = "delivery memory reaches nobody outside this process; try --delivery udp"
            await output.show(.error("alone", advice))
        }
        if !conversations.isEmpty { await showConversations(tag: nil) }
        await showLastLines()
    }

    /// Makes the first introduction, as soon as the relay is there.
    private func introduceAtStart() async {
        let complaint = Task {
            guard (try? await Task.sleep(for: Self.patience)) != nil else { return }
            let seen = networkTrouble.map { "no link to \(settings.relay): \($0)" }
            let what = seen ?? relayTrouble?.words(of: settings.relay) ?? DeliveryError.noAnswer(settings.relay)
            await output.show(.error("relay", "\(what); still trying"))
        }
        defer { complaint.cancel() }
        while !Task.isCancelled {
            do throws(ClientError) {
                return await showIntroduction(try await client.introduce(as: settings.publish ?? ""), tag: nil)
            } catch .delivery(let error) {
                relayTrouble = error
                try? await Task.sleep(for: .seconds(1))
            } catch {
                return await output.show(.error("introduction", error.description))
            }
        }
    }

    /// What the system says about the way to the relay.
    var networkTrouble: String? { (client.suite.delivery as? UDPDeliveryService)?.trouble }

    /// How long a relay may be silent before the person hears of it.
    private static let patience = Duration.seconds(2)

    /// A short name for a conversation: who is in it, or its id.
    static func label(_ id: ConversationID, _ peers: [PublicKey]) -> String {
        String((peers.first?.description ?? id.text).prefix(8))
    }
}

extension JSON {
    /// An event for programs: its name, then its fields.
    static func event(_ name: String, _ fields: KeyValuePairs<String, JSON>, tag: JSON? = nil) -> JSON {
        var object = Object()
        object["event"] = .string(name)
        for (key, value) in fields { object[key] = value }
        if let tag { object["tag"] = tag }
        return .object(object)
    }
}

extension DeliveryError {
    /// What may be wrong with a relay that does not answer.
    static func noAnswer(_ relay: String) -> String { "no answer from \(relay) yet; is chat-relay running there?" }

    /// What is wrong in words: what the system says where it says something, and a guess only where nobody answered.
    fileprivate func words(of relay: String) -> String {
        if case .unreachable = self { Self.noAnswer(relay) } else { "no link to \(relay): \(self)" }
    }
}

extension Output.Line {
    /// Something that went wrong and does not end the run.
    static func error(_ code: String, _ text: String, tag: JSON? = nil) -> Output.Line {
        Output.Line.trouble(
            "! \(text.forTerminal)",
            .event("error", ["code": .string(code), "text": .string(text)], tag: tag))
    }
}
