import ArgumentParser
import ChatEngineServer
import Logging

/// Runs an engine.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run an engine until it is stopped.")

    @Option(help: "TCP port, 0 to 65535; 0 takes a free one.")
    var port: UInt16
    @Option(help: "SQLite file; it is created when it is missing, its folder is not.")
    var database: String
    @Option(name: .customLong("jwt-secret-file"), help: "File of the HS256 secret, 32 bytes or more.")
    var secretFile: String
    @Option(name: .customLong("session-types"), help: "JSON file of the session types.")
    var sessionTypes: String
    @Option(help: "Folder of exported files; it is created when it is missing.")
    var exports: String?
    @Option(help: "A number above 0 and up to 1,000, by which durations are multiplied.")
    var timeoutsScale = 1.0
    @Option(help: "Address to bind.")
    var host = "127.0.0.1"
    @Option(help: "What links start with; the address and /api/v1 unless given.")
    var publicURL: String?
    @Option(help: "error, warning, info or debug; logs go to standard error.")
    var logLevel = "info"

    func validate() throws {
        guard timeoutsScale > 0, timeoutsScale <= 1_000 else {
            throw ValidationError("--timeouts-scale \(timeoutsScale): a number above 0 and up to 1,000 is needed")
        }
        guard ["error", "warning", "info", "debug"].contains(logLevel) else {
            throw ValidationError("--log-level \(logLevel): none of error, warning, info, debug")
        }
        if let publicURL, !publicURL.hasPrefix("http://"), !publicURL.hasPrefix("https://") {
            throw ValidationError("--public-url \(publicURL): no URL of http or https")
        }
    }

    func run() async throws {
        do throws(StartError) {
            var settings = Settings(
                port: Int(port), database: database, secret: try Settings.secret(at: secretFile),
                types: try Settings.types(at: sessionTypes), scale: timeoutsScale,
                logLevel: Logger.Level(rawValue: logLevel) ?? .info)
            settings.host = host
            settings.exports = exports
            settings.publicURL = publicURL.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
            let server = try await EngineServer(settings)
            try await server.run(stopsOnSignals: true) { say("listening on \($0)") }
        } catch { throw fail(error) }
    }
}
