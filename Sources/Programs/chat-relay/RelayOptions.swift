import ChatDeliveryService
import ChatModel
import ChatTool

/// Where a relay listens.
struct Place: OptionValue {
    let text: String
    static var expected: String { "an address with a port, such as 127.0.0.1:9220 or [::1]:9220" }
    var optionText: String { text }
}

extension Place {
    init?(option text: String) {
        guard UDPRelay.isAddress(text) else { return nil }
        self.init(text: text)
    }
}

/// What one may choose when starting a relay.
enum RelayOptions {
    private static let standard = RelayLimits()

    static let listen = Option(
        "listen", "HOST:PORT", default: Place(text: "127.0.0.1:9220"), "where to listen; port 0 lets the system choose")
    static let keyFile = Option<String?>(
        "key-file", "FILE", "the relay's key, which its name contains; made at the first start")
    static let plain = Option("plain", "hops in plain, for study: the path reads and forges everything")
    static let keyLog = Option<String?>(
        "key-log", "FILE", "append the keys of sealed sessions, for chat-inspect; whoever reads it reads the hop")
    static let json = Option("json", "print lines for programs: one JSON object each")
    static let payload = Option(
        "max-payload", "BYTES", default: standard.maximumPayload, in: 1...16 << 20, "largest payload")
    static let retainCount = Option(
        "retain-count", "COUNT", default: standard.retention.payloads, in: 1...1 << 30, "payloads kept for an address")
    static let retainBytes = Option(
        "retain-bytes", "BYTES", default: standard.retention.bytes, in: 1...1 << 40, "bytes kept for an address")
    static let retainAge = Option("retain-age", "TIME", default: standard.retention.age, "how long they are kept")
    static let totalBytes = Option(
        "total-bytes", "BYTES", default: standard.totalBytes, in: 1...1 << 40, "bytes kept over all addresses")
    static let addresses = Option(
        "addresses", "COUNT", default: standard.addresses, in: 1...1 << 30, "addresses known at once")
    static let sessions = Option("sessions", "COUNT", default: standard.sessions, in: 1...1 << 20, "clients at once")
    static let sessionsPerHost = Option(
        "sessions-per-host", "COUNT", default: standard.sessionsPerHost, in: 1...1 << 20, "clients behind one address")
    static let subscriptions = Option(
        "subscriptions", "COUNT", default: standard.subscriptionsPerSession, in: 1...1 << 20,
        "addresses that one client listens to")
    static let rate = Option(
        "rate", "COUNT", default: 0, in: 0...1 << 30, "payloads of one host in an epoch; 0: no quota")
    static let epoch = Option("rate-epoch", "TIME", default: Duration.seconds(600), "how long an epoch is")
    static let idle = Option("idle", "TIME", default: standard.idle, "a client that is silent for so long is gone")

    static let capture = Option<String?>(
        "capture", "FILE", "write all datagrams to a file that Wireshark and chat-inspect read (pcapng)")

    static let command = Command(
        "chat-relay",
        summary: "Carries payloads between chat clients over UDP; knows addresses and sizes, nothing else.",
        options: [
            listen, keyFile, plain, keyLog, json, payload, retainCount, retainBytes, retainAge, totalBytes, addresses,
            sessions,
            sessionsPerHost,
            subscriptions, rate, epoch, idle, capture,
        ],
        notes: """
            The first line on standard output is its name, for clients: 'listening on relay://127.0.0.1:9220/#KEY',
            with --plain 'listening on 127.0.0.1:9220'. Without --key-file the key is another one at each start.
            SIGUSR1 prints a line of statistics; SIGINT and SIGTERM print one and end the relay.
            Exit codes: 0 ended by a signal, 1 could not start, 2 called wrongly.
            """)

    /// What a first contact takes in profile `reference`, with a short text: `chat-peer describe` measures 4,133 bytes.
    private static let firstContact = 5 << 10

    /// What is wrong with limits that can be meant, but that make a relay of little use; nil where nothing is.
    static func warning(_ options: Options) -> String? {
        guard options[payload] < firstContact else { return nil }
        return """
            payloads of at most \(options[payload]) bytes are carried: a first contact of profile reference takes more; \
            give --max-payload \(firstContact.optionText) at least (chat-peer describe says what a composition needs)
            """
    }

    /// What is to be said about the hops at the start, line by line.
    static func notes(_ options: Options) -> [String] {
        if options[plain] { return ["hops are in plain (--plain): whoever is on the path reads and forges everything"] }
        let log = options[keyLog].map { [KeyLogFile.warning($0)] } ?? []
        guard options[keyFile] == nil else { return log }
        return ["the key is of this start only; give --key-file FILE to keep the relay's name"] + log
    }

    /// The relay's key; nil for hops in plain.
    static func key(_ options: Options) throws(KeyTrouble) -> KeyPair? {
        guard !options[plain] else { return nil }
        guard let path = options[keyFile] else { return RelayKey.drawn() }
        return try RelayKey.kept(in: path)
    }

    /// The limits that were chosen.
    static func limits(_ options: Options) -> RelayLimits {
        var limits = standard
        limits.maximumPayload = options[payload]
        limits.retention = .init(
            payloads: options[retainCount], bytes: options[retainBytes], age: options[retainAge])
        limits.totalBytes = options[totalBytes]
        limits.addresses = options[addresses]
        limits.sessions = options[sessions]
        limits.sessionsPerHost = options[sessionsPerHost]
        limits.subscriptionsPerSession = options[subscriptions]
        if options[rate] > 0 { limits.rate = .init(payloads: options[rate], epoch: options[epoch]) }
        limits.idle = options[idle]
        return limits
    }
}
