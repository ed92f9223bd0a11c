package import ChatCodec
import ChatPlatform

/// A `chat-peer` that is started and talked to as a program would do it.
package actor PeerProcess {
    /// What the peer is called.
    package nonisolated let name: String
    /// Content that came, in its order; what is shown again after a restart is taken once.
    package private(set) var contents: [Arrival] = []
    /// Every event that came, answers included.
    package private(set) var events: [JSON] = []
    /// How many times it was started.
    package private(set) var starts = 0
    private let path: String
    private let arguments: [String]
    private let environment: [String]
    private var process: ChildProcess?
    private var reader: Task<Void, Never>?
    private var answers: [Int: JSON] = [:]
    private var nextTag = 0
    /// Whether more may come of it.
    private var isTalking = false
    private var seen: Set<String> = []
    private var eventsOfThisRun: [JSON] = []

    /// Content and when it was shown.
    package struct Arrival: Sendable {
        /// The content as a text.
        package let text: String
        /// When the peer showed it.
        package let at: ContinuousClock.Instant
    }

    /// Describes a peer; `start` runs it.
    package init(
        _ name: String, in directory: String, arguments: [String], environment: [String] = currentEnvironment()
    ) {
        self.name = name
        path = directory + "/chat-peer"
        self.arguments = ["--json", "--name", name] + arguments
        self.environment = environment
    }

    /// Runs it, for the first time or again.
    package func start() throws(DriverError) {
        let process = try ChildProcess(path, arguments, environment: environment)
        self.process = process
        starts += 1
        (eventsOfThisRun, answers, isTalking) = ([], [:], true)
        reader = Task { [weak self, lines = process.lines] in
            for await line in lines { await self?.take(line) }
            await self?.outputEnded()
        }
    }

    private func outputEnded() { isTalking = false }

    private func take(_ line: String) {
        guard let event = try? JSON(parsing: line) else {
            events.append(["event": "unreadable", "text": .string(line)])
            return
        }
        events.append(event)
        eventsOfThisRun.append(event)
        if let tag = event["tag"]?.int { answers[tag] = event }
        guard event["event"] == "content", let batch = event["batch"]?.int, let index = event["index"]?.int else {
            return
        }
        if seen.insert("\(batch)/\(index)").inserted {
            contents.append(Arrival(text: event["text"]?.text ?? "", at: .now))
        }
    }

    /// Asks for something and waits for the answer.
    package func ask(_ request: JSON, within time: Duration = .seconds(20)) async throws(DriverError) -> JSON {
        guard case .object(var object) = request else { throw DriverError("a request is an object") }
        nextTag += 1
        let tag = nextTag
        object["tag"] = JSON(tag)
        await process?.write(JSON.object(object).printed())
        guard await wait(within: time, until: { $0.answers[tag] != nil }), let answer = answers.removeValue(forKey: tag)
        else { throw DriverError("\(name) did not answer \(request.printed())") }
        guard answer["event"] != "error" else { throw DriverError("\(name): \(answer.printed())") }
        return answer
    }

    /// Waits for an event of the present run that a condition picks.
    package func event(
        within time: Duration = .seconds(20), _ condition: @escaping @Sendable (JSON) -> Bool
    ) async throws(DriverError) -> JSON {
        guard await wait(within: time, until: { $0.eventsOfThisRun.contains(where: condition) }),
            let event = eventsOfThisRun.first(where: condition)
        else { throw DriverError("\(name) ended or did not report what was waited for within \(time)") }
        return event
    }

    /// The link that it shows when it has started.
    package func introduction() async throws(DriverError) -> String {
        let event = try await event { $0["event"] == "introduction" }
        guard let link = event["links"]?.list?.first?.text else { throw DriverError("\(name) shows no link") }
        return link
    }

    /// Waits until a number of contents has come; false if they do not.
    package func receives(_ count: Int, within time: Duration) async -> Bool {
        await wait(within: time) { $0.contents.count >= count }
    }

    private func wait(within time: Duration, until condition: (isolated PeerProcess) -> Bool) async -> Bool {
        let end = ContinuousClock.now + time
        while !condition(self) {
            guard isTalking, ContinuousClock.now < end else { return false }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return true
    }

    /// Ends it as a power cut would.
    package func kill() async {
        process?.send(signal: 9)
        await ended()
    }

    /// Ends its input and waits for its exit code.
    @discardableResult
    package func stop() async -> Int32? {
        process?.closeInput()
        return await ended()
    }

    @discardableResult
    private func ended() async -> Int32? {
        let code = await process?.wait()
        // What it wrote before its end still counts.
        await reader?.value
        process = nil
        return code
    }
}
