import ChatEngine
import ChatModel
import Foundation
import Logging
import Synchronization

/// What the operations share: storage, backends, exported files, and the answers under way.
final class EngineService: Sendable {
    let types: SessionTypes
    let store: Store
    let backends: Backends
    let exports: Exports
    let logger: Logger
    private let journalFolder: String
    private let base = Mutex("")
    private let answers = Mutex<(running: [ObjectIdentifier: Answer], isStopping: Bool)>(([:], false))
    /// Held as long as the engine runs.
    private let lock: FileHandle

    /// Opens everything, and stores what an engine that was killed had streamed.
    init(_ settings: Settings, _ logger: Logger) async throws(StartError) {
        (types, self.logger, journalFolder) = (settings.types, logger, settings.journalFolder)
        lock = try Files.lock(settings.database)
        store = try Store(path: settings.database, types: settings.types, logger: logger)
        try Files.makeFolder(settings.exportsFolder)
        try Files.makeFolder(settings.journalFolder)
        exports = Exports(folder: settings.exportsFolder, store: store)
        backends = Backends(scale: settings.scale, logger: logger)
        do {
            try await Journal.recover(settings.journalFolder, into: store, logger)
            try await exports.clean(at: now())
        } catch {
            await backends.shutdown()
            throw StartError(.inputOutput, "\(settings.database): what is stored cannot be taken up")
        }
    }

    /// What links start with.
    var baseURL: String {
        get { base.withLock { $0 } }
        set { base.withLock { $0 = newValue } }
    }

    /// Asks each backend how it is; the outcome is logged, and counts for its breaker.
    func checkHealth() {
        for type in types.all {
            let webhook = Webhook(.healthCheck(HealthCheckEvent(sessionType: type.id)), at: DateTime(now()))
            Task {
                do throws(ErrorBody) {
                    let health: HealthReply = try await backends.ask(
                        type.webhookURL, webhook, type.id, timeout: type.timeout)
                    logger.info(
                        "a backend is \(health.status.rawValue)", metadata: ["session_type": "\(type.id)"])
                } catch { logger.warning("a backend does not answer", metadata: ["session_type": "\(type.id)"]) }
            }
        }
    }

    /// Begins an answer; who has it reads its lines.
    func generate(_ ask: Engine.Ask, _ head: Journal.Head?) throws(ErrorBody) -> Answer {
        guard let reply = ask.reply else { throw ErrorBody(.internalError, "the engine failed") }
        let answer = Answer()
        let isStopping = answers.withLock { answers in
            answers.running[ObjectIdentifier(answer)] = answer
            return answers.isStopping
        }
        if isStopping { answer.cut(.stopped) }
        let generator = Generator(
            ask: ask, reply: reply, answer: answer, store: store, backends: backends,
            journal: head.map { Journal(folder: journalFolder, reply: reply, $0) }, logger: logger)
        Task {
            await generator.run()
            answers.withLock { $0.running[ObjectIdentifier(answer)] = nil }
        }
        return answer
    }

    /// Cuts all answers, and waits until they are stored, three seconds at most.
    func stop() async {
        let running = answers.withLock { answers in
            answers.isStopping = true
            return Array(answers.running.values)
        }
        for answer in running { answer.cut(.stopped) }
        let deadline = now() + .seconds(3)
        while answers.withLock({ !$0.running.isEmpty }), now() < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
