import ArgumentParser
import ChatEngineServer

/// Makes a bearer token.
struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a bearer token of a client.")

    @Option(help: "The client, who owns sessions.")
    var client: String
    @Option(name: .customLong("secret-file"), help: "File of the HS256 secret, 32 bytes or more.")
    var secretFile: String
    @Option(name: .customLong("for"), help: "How long it is good, for example 30s, 15m, 1h or 7d.")
    var lifetime = "1h"

    func validate() throws {
        guard !client.isEmpty else { throw ValidationError("--client: a name is needed") }
        guard seconds != nil else { throw ValidationError("--for \(lifetime): no time such as 30s, 15m, 1h or 7d") }
    }

    /// The lifetime in seconds, a hundred years at most.
    private var seconds: Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = lifetime.last.flatMap({ units[$0] }), let count = Int(lifetime.dropLast()),
            (1...3_155_760_000 / unit).contains(count)
        else { return nil }
        return count * unit
    }

    func run() async throws {
        let secret: [UInt8]
        do throws(StartError) { secret = try Settings.secret(at: secretFile) } catch { throw fail(error) }
        say(try await Tokens(secret: secret).sign(client: client, seconds: seconds ?? 3_600))
    }
}
