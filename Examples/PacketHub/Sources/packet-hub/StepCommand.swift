import ArgumentParser
import Foundation
import PacketHubKit
import PacketStream

/// Runs a step at a hub.
struct StepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step", abstract: "Run a step: one that echoes, transforms by a command, or chats in a terminal.",
        subcommands: [Echo.self, Transform.self, Chat.self])
}

/// Where the hub is, and who the step is.
struct StepOptions: ParsableArguments {
    @Option(help: "The step's name.") var step: String
    @Option(help: "HOST:PORT of the hub; without it, the endpoint of the binding in BUBU_TRANSPORT_BINDING.")
    var hub: String?
    @Option(help: "The run, NAMESPACE/NAME.") var run = "default/run"
    @Option(help: "The stream: process, data or push.") var stream = PacketPort.process
    @Option(help: "canonical, or interop to read what bubu-sdk-go 0.1.5 writes.") var mode = PacketMode.canonical
    @Option(help: "A file whose first line is the hub's token.") var tokenFile: String?
    @Option(help: "A PEM file with the authority of the hub's certificate: streams use TLS.") var authority: String?
    @Option(help: "A PEM file with the step's certificate.") var certificate: String?
    @Option(help: "A PEM file with its key.") var key: String?
    @Option(help: "Tries to reach the hub until a packet is delivered; negative for no end.") var retries = 10
    @Option(help: "Seconds that the start of a session may take.") var startLimit = 30

    func settings() async throws -> StepSettings {
        try checkNumber("--start-limit", startLimit, 1...86_400)
        let certificates = try Certificates(certificate: certificate, key: key, authorities: authority)
        var settings = StepSettings(step: step, certificates: certificates)
        var address = hub
        if address == nil {
            let binding = try Self.binding()
            guard binding.protocolVersion == nil || binding.protocolVersion == PacketHandshake.protocolVersion else {
                throw SetupError("the binding wants another protocol than \(PacketHandshake.protocolVersion)")
            }
            (address, settings.binding) = (binding.endpoint, binding.path)
        }
        guard let address, let colon = address.lastIndex(of: ":"),
            let port = Int(address[address.index(after: colon)...]),
            (1...65_535).contains(port)
        else { throw SetupError("\(address ?? "") is not of the form HOST:PORT, for example 127.0.0.1:50051") }
        let parts = run.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw SetupError("--run \(run) is not of the form NAMESPACE/NAME")
        }
        (settings.namespace, settings.run) = (parts[0], parts[1])
        settings.host = address[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        settings.port = port
        (settings.stream, settings.mode, settings.retries) = (stream, mode, retries)
        settings.handshakeLimit = .seconds(startLimit)
        settings.token = try tokenFile.map(SetupError.token)
        return settings
    }

    private static func binding() throws -> PacketBinding {
        guard let value = ProcessInfo.processInfo.environment[PacketBinding.variable], !value.isEmpty else {
            throw SetupError("give --hub HOST:PORT, or a binding in \(PacketBinding.variable)")
        }
        let json = value.hasPrefix("{") ? Data(value.utf8) : FileManager.default.contents(atPath: value)
        guard let json else {
            throw SetupError("the file \(value), which \(PacketBinding.variable) names, cannot be read")
        }
        return try PacketBinding(json: Array(json))
    }

    /// Runs a step until a signal comes or something else ends it, and says how it ended.
    func run(
        _ step: Step,
        until end: @escaping @Sendable () async throws -> Void = { try await Task.sleep(for: .seconds(1 << 40)) },
        _ application: @escaping Step.Application
    ) async throws {
        let ends = stopSignals()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await step.run(application) }
                group.addTask { for await _ in ends { return } }
                group.addTask { try await end() }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch let failure as StepFailure {
            if case .refused = failure { throw fail(failure, code: 3) }
            throw fail(failure, code: 4)
        } catch {
            throw fail(error, code: 2)
        }
    }

    func makeStep() async throws -> Step {
        do { return Step(try await settings(), log: .standardError) } catch { throw fail(error, code: 2) }
    }
}

struct Echo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Send every packet back.")
    @OptionGroup var options: StepOptions

    func run() async throws { try await options.run(try await options.makeStep(), Applications.echo) }
}

struct Transform: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command for each packet; what it writes is sent on.",
        discussion: """
            The command gets the payload as JSON, or the bytes of audio, video or opaque packets, on standard input. What \
            it writes must be a JSON object, or bytes again. Where it fails, an error packet is sent.
            """)
    @OptionGroup var options: StepOptions
    @Option(help: "Seconds after which a command is killed.") var limit = 30
    @Argument(help: "The command, for the shell.") var command: String

    func run() async throws {
        do { try checkNumber("--limit", limit, 1...86_400) } catch { throw fail(error, code: 2) }
        let application = Applications.transform(command, limit: .seconds(limit), log: .standardError)
        try await options.run(try await options.makeStep(), application)
    }
}

struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Chat in a terminal: each line is a message, and each message a line.",
        discussion: "Standard input's end ends it, once every message has a receipt; with --stay it goes on receiving.")
    @OptionGroup var options: StepOptions
    @Flag(help: "Go on when standard input ends.") var stay = false

    func run() async throws {
        let step = try await options.makeStep()
        let (name, stay) = (options.step, stay)
        let (ends, feed) = AsyncStream<Void>.makeStream()
        // By itself: a line that nobody types must not hold up the end.
        let typing = Task {
            while let line = await Lines.next() {
                guard !line.isEmpty else { continue }
                try await step.send(Applications.line(line, from: name))
            }
            if stay { try await Task.sleep(for: .seconds(1 << 40)) }
            try await step.settle()
            feed.finish()
        }
        defer { typing.cancel() }
        let untilTyped: @Sendable () async throws -> Void = { for await _ in ends {} }
        try await options.run(step, until: untilTyped) { packet in
            if let line = Applications.shown(packet) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
            return []
        }
    }
}

/// Standard input, a line at a time and no sooner than somebody wants it.
enum Lines {
    static func next() async -> String? {
        await withCheckedContinuation { continuation in
            Thread(block: { continuation.resume(returning: readLine()) }).start()
        }
    }
}

extension PacketPort: ExpressibleByArgument {}
