public import ArgumentParser
import Foundation
import PacketHubKit
public import PacketStream

/// Serves a hub.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a hub.",
        discussion: """
            Prints "listening on HOST:PORT" on standard output, and a log of JSON lines on standard error. SIGTERM ends \
            it: steps come back to whoever listens next, and send again what has no receipt.
            """)

    @Option(help: "The address to listen on; another than the loopback needs a token or mutual TLS.")
    var host = "127.0.0.1"
    @Option(help: "The port; 0 takes one that is free.") var port = 50_051
    @Option(help: "canonical refuses what breaks a rule; interop also reads what bubu-sdk-go 0.1.5 writes.")
    var mode = PacketMode.canonical
    @Option(help: "A way FROM:TO between steps, many times; without any, each step sends to all others of its run.")
    var route: [String] = []
    @Option(help: "at_least_once keeps packets until receipts come; best_effort does not.")
    var semantics = DeliveryPolicy.Semantics.atLeastOnce
    @Option(help: "What a full buffer does: refuse, drop_newest or drop_oldest; to drop needs best_effort.")
    var overflow: DeliveryPolicy.Overflow?
    @Option(help: "Messages that wait for one step.") var messages = 100
    @Option(help: "Bytes that wait for one step.") var bytes = 10 << 20
    @Option(help: "Steps that get what one step sends, at most.") var downstreams = 32
    @Option(help: "A file whose first line is the token that callers have to bring.") var tokenFile: String?
    @Option(help: "A PEM file with the hub's certificate: streams use TLS.") var certificate: String?
    @Option(help: "A PEM file with its key.") var key: String?
    @Option(help: "A PEM file with the authorities of callers, who then need certificates.") var clientAuthority:
        String?
    @Flag(help: "State capabilities when a session starts.") var capabilities = false
    @Option(help: "Seconds between lines of statistics; 0 for one at the end.") var statistics = 10

    func run() async throws {
        let server: HubServer
        do { server = try makeServer() } catch { throw fail(error, code: 2) }
        let ends = stopSignals()
        let stopping = Task {
            for await _ in ends { return server.stop() }
        }
        let shownHost = host.contains(":") ? "[\(host)]" : host
        do {
            try await server.run(statistics: statistics > 0 ? .seconds(statistics) : nil) { port in
                FileHandle.standardOutput.write(Data("listening on \(shownHost):\(port)\n".utf8))
            }
        } catch { throw fail(error, code: 2) }
        stopping.cancel()
    }

    private func makeServer() throws -> HubServer {
        var settings = HubSettings()
        settings.mode = mode
        settings.semantics = semantics
        settings.overflow = overflow ?? (semantics == .bestEffort ? .dropOldest : .refuse)
        settings.maximumMessages = messages
        settings.maximumBytes = bytes
        settings.maximumDownstreams = downstreams
        settings.statesCapabilities = capabilities
        settings.routes = try route.map { text in
            guard let route = HubSettings.Route(text) else {
                throw SetupError("--route \(text) is not of the form FROM:TO, for example saro:raya")
            }
            return route
        }
        try check(settings)
        let certificates = try Certificates(certificate: certificate, key: key, authorities: clientAuthority)
        guard certificate != nil || clientAuthority == nil else {
            throw SetupError("--client-authority needs --certificate and --key")
        }
        guard ["127.0.0.1", "::1"].contains(host) || tokenFile != nil || certificates.isMutual else {
            throw SetupError(
                "\(host) is open to others; give --token-file, or --certificate, --key and --client-authority")
        }
        let gate = Gate(token: try tokenFile.map(SetupError.token))
        return HubServer(
            settings, host: host, port: port, certificates: certificates, gate: gate, log: .standardError)
    }

    private func check(_ settings: HubSettings) throws {
        guard settings.overflow == .refuse || semantics == .bestEffort else {
            throw SetupError("--overflow \(settings.overflow.rawValue) loses packets; it needs --semantics best_effort")
        }
        try checkNumber("--port", port, 0...65_535)
        try checkNumber("--messages", messages, 1...100_000)
        try checkNumber("--bytes", bytes, 1 << 16...1 << 30)
        try checkNumber("--downstreams", downstreams, 1...1_024)
        try checkNumber("--statistics", statistics, 0...86_400)
        if let step = settings.overloadedStep {
            throw SetupError("\(step) has more routes than the \(downstreams) of --downstreams")
        }
    }
}

extension PacketMode: @retroactive ExpressibleByArgument {}
extension DeliveryPolicy.Semantics: @retroactive ExpressibleByArgument {}
extension DeliveryPolicy.Overflow: @retroactive ExpressibleByArgument {}
