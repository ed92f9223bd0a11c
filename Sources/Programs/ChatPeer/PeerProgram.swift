import ChatClient
import ChatCodec
import ChatCrypto
import ChatDeliveryService
import ChatInspect
import ChatModel
import ChatPlatform
import ChatStorage
import ChatTool
public import ChatVariants

/// `chat-peer`: a conversation in a terminal, over a protocol composed on the command line.
public struct PeerProgram: Sendable {
    let additions: Variants.Additions

    /// Runs the program with the arguments of this process, and ends the process.
    ///
    /// - Parameter additions: components from outside, which stand beside ours in every option.
    public static func main(adding additions: @escaping Variants.Additions = { _, _ in }) async {
        CoreDumps.forbid()
        let options = PeerOptions.command.parseOrExit()
        let output = Output(isJSON: options[PeerOptions.json])
        let code = await PeerProgram(additions: additions).run(options, output)
        // What could not be printed was not done.
        (code == .success && output.isBroken ? .failure : code).exit()
    }

    @concurrent
    private func run(_ options: Options, _ output: Output) async -> ExitCode {
        do throws(UsageError) {
            let settings = try Settings(options)
            switch settings.task {
            case .variants: return await showVariants(settings, output)
            case .describe: return await describe(settings, output)
            case .shim:
                return await ShimCommand.run(
                    settings.suite, adding: additions, seed: settings.seed.map { UInt64(bitPattern: Int64($0)) })
            case .chat: return await chat(settings, output)
            }
        } catch {
            return fail(output, .usage, "usage", "\(error)\ntry 'chat-peer --help'")
        }
    }

    /// Opens the data directory and talks until there is nothing more to say.
    private func chat(_ settings: Settings, _ output: Output) async -> ExitCode {
        do {
            // A pipe may keep us waiting for its writer; until then a signal ends the process.
            let named = try settings.data.flatMap { _ throws(StorageError) in try settings.key.named() }
            // Signals are watched before anything is asked for, stored or sent.
            guard let signals = Signals([.interrupt, .terminate]) else {
                return fail(output, .failure, "system", "no pipe left for signals; close some files")
            }
            let key = try settings.data.map { try named ?? Passphrase.key(for: $0, until: signals) }
            // The directory that was named; the one in the data directory is made when it is needed.
            if let directory = settings.downloads, directory != settings.data.map({ $0 + "/downloads" }) {
                try Downloads(directory).prepare()
            }
            let stored = try PeerStorage(in: settings.data, key: key)
            let name = settings.suite ?? stored.suite ?? Profile.reference.suite
            let registry = Composition.registry(
                identity: stored.identity, relay: settings.relay, losses: settings.losses,
                keyLog: try Self.keyLog(settings), tap: try tap(settings), adding: additions)
            let suite = try await registry.suite(name)
            if let earlier = stored.suite, earlier != suite.name {
                return fail(
                    output, .storage, "other_suite",
                    "\(settings.data ?? "") holds conversations of \(earlier); start without --suite, or choose another directory"
                )
            }
            if stored.suite == nil { try stored.keep(suite.name) }
            let client = try await Client(suite, storage: stored.storage, random: SystemRandom())
            let session = Session(client, settings, output, stored: stored)
            return await session.run(until: signals)
        } catch {
            return report(error, output)
        }
    }

    /// Writes what passes where that is asked for.
    private func tap(_ settings: Settings) throws(InputFailure) -> DatagramTap? {
        guard let path = settings.capture else { return nil }
        let file = try CaptureOutput(path, beginning: Capture.header)
        return { file.append(Capture.block($0, at: CaptureOutput.now)) }
    }

    /// Where the keys of the hop are written down, if they are, with a warning.
    private static func keyLog(_ settings: Settings) throws(KeyLogTrouble) -> HopKeyLog? {
        guard let path = settings.keyLog else { return nil }
        let file = try KeyLogFile(path)
        Terminal.complain("chat-peer: \(KeyLogFile.warning(path))")
        return HopKeyLog { file.append($0) }
    }

    /// Prints the composition as its five choices, and what a trial of it showed.
    private func describe(_ settings: Settings, _ output: Output) async -> ExitCode {
        do {
            if let system = settings.system {
                let suite = try system.suite(beside: try await stranger(settings).suite(Profile.reference.suite))
                await output.show(.speech(suite.description, suite.json))
                return .success
            }
            let name = settings.suite ?? Profile.reference.suite
            // Raya's delivery service is not used.
            var rayas = name
            rayas.delivery = "memory"
            let suite = try await stranger(settings).suite(name)
            let trial = try SuiteTrial(suite, try await stranger(settings).suite(rayas))
            let description = Description(suite: suite, trial: trial)
            await output.show(.speech(description.text, description.json))
            return .success
        } catch {
            return report(error, output)
        }
    }

    /// The variants for an identity that nobody needs afterwards.
    private func stranger(_ settings: Settings) -> Registry {
        var random: any RandomSource = SystemRandom()
        return Composition.registry(
            identity: X25519.generate(using: &random, for: .secret), relay: settings.relay, adding: additions)
    }

    /// Prints the names that can be chosen.
    private func showVariants(_ settings: Settings, _ output: Output) async -> ExitCode {
        let registry = stranger(settings)
        var (text, json): ([String], JSON.Object) = ([], JSON.Object())
        for component in Component.allCases {
            let names = registry.names(of: component)
            text.append("--\(component.rawValue)\t\(names.joined(separator: ", "))")
            json[component.rawValue] = .array(names.map { .string($0) })
        }
        for profile in Profile.allCases {
            let name = profile.suite.description
            text.append("--profile \(profile.rawValue)\t\(name)")
            json["profile \(profile.rawValue)"] = .string(name)
        }
        await output.show(.speech(text.joined(separator: "\n"), .object(json)))
        return .success
    }

    private func report(_ error: any Error, _ output: Output) -> ExitCode {
        switch error {
        case let error as SuiteError: fail(output, .usage, "usage", "\(error)\ntry 'chat-peer variants'")
        case let error as StorageError: fail(output, .storage, "storage", error.description)
        case ClientError.storage(let error): fail(output, .storage, "storage", error.description)
        case is Interrupted: fail(output, .failure, "interrupted", "interrupted; nothing was made")
        case let error as DeliveryError: fail(output, .failure, "delivery", error.description)
        default: fail(output, .failure, "failed", String(describing: error))
        }
    }

    private func fail(_ output: Output, _ exit: ExitCode, _ code: String, _ text: String) -> ExitCode {
        Terminal.complain("chat-peer: \(text)")
        if output.isJSON {
            Terminal.print(JSON.event("failed", ["code": .string(code), "text": .string(text)]).printed())
        }
        return exit
    }
}
