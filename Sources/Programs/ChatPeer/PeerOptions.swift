import ChatClient
import ChatStorage
import ChatTool

/// The command line of `chat-peer`.
enum PeerOptions {
    static let suite = Option<String?>(
        "suite", "NAME", "all five choices: discovery/initialization/type+type/delivery/framing")
    static let profile = Option<Profile?>("profile", "PROFILE", "the five choices of a profile: reference or libchat")
    static let discovery = Option<String?>("discovery", "NAME", "how others learn of this peer")
    static let initialization = Option<String?>("initialization", "NAME", "how a first contact is made")
    static let conversation = Option<String?>(
        "conversation", "NAME+NAME", "how content is exchanged; the first is for new conversations")
    static let delivery = Option<String?>("delivery", "NAME", "how payloads are carried")
    static let framing = Option<String?>("framing", "NAME", "how payloads are told apart")
    static let system = Option<PublishedSystem?>(
        "system", "SYSTEM", "describe: a published system, logos, agent-chat, chat-engine or packet-stream")
    static let relay = Option<String>(
        "relay", "NAME", default: "127.0.0.1:9220",
        "the relay of delivery service udp: its name, as chat-relay prints it, or HOST:PORT of one in plain")
    static let keyLog = Option<String?>(
        "key-log", "FILE", "append the keys of the hop to the relay, for chat-inspect; whoever reads it reads the hop")
    static let data = Option<String?>("data", "DIR", "keep identity and conversations here, encrypted")
    static let passphraseFile = Option<String?>(
        "passphrase-file", "FILE", "the first line of a file opens the data directory")
    static let keyFile = Option<String?>(
        "key-file", "FILE", "a file of 32 bytes or 64 hex digits opens the data directory")
    static let name = Option<String>("name", "NAME", default: "me", "what this peer calls you on your own screen")
    static let publish = Option<String?>(
        "publish", "NAME", "make yourself known under a name, where the discovery has names")
    static let find = Option<String?>("find", "TEXT", "look for somebody by a name or a link and begin a conversation")
    static let linger = Option<Int>(
        "linger", "SECONDS", default: 10, in: 0...86_400, "how long to go on sending after the input has ended")
    static let downloads = Option<String?>(
        "downloads", "DIR", "where files that arrive are put (default: downloads in the data directory)")
    static let loss = Option<Int>(
        "loss", "PERCENT", default: 0, in: 0...100,
        "lose so many payloads on purpose, between service and conversation, in each direction")
    static let datagramLoss = Option<Int>(
        "datagram-loss", "PERCENT", default: 0, in: 0...100,
        "lose so many datagrams of delivery service udp on purpose, in each direction")
    static let capture = Option<String?>(
        "capture", "FILE", "write all datagrams of delivery service udp to a file that Wireshark and chat-inspect read")
    static let seed = Option<Int?>(
        "seed", "N", "which losses; shim: draw everything from this seed, for vectors, never for keys that matter")
    static let json = Option<Bool>("json", "one JSON object in each line, for programs")

    static let command = Command(
        "chat-peer", summary: "Talks to another chat peer: paste its introduction link, or hand it yours.",
        options: [
            suite, profile, discovery, initialization, conversation, delivery, framing, system, relay, data,
            passphraseFile, keyFile, name, publish, find, linger, downloads, loss, datagramLoss, capture, keyLog, seed,
            json,
        ],
        rest: "describe|variants|shim",
        notes: """
            describe   print the composition as its five choices and end
            variants   print the names that can be chosen and end
            shim       be one participant of an interoperability driver (logos-interop-shim/1) on standard
                       input and output; profile libchat unless --suite says otherwise

            The passphrase of a data directory comes from --passphrase-file, from CHAT_PASSPHRASE, or is asked for.
            Exit: 0 done, 1 failed (something accepted was not sent and is not kept), 2 wrong usage,
            3 the data directory could not be opened.
            """)
}

/// What to do, read from the command line.
struct Settings: Sendable {
    /// What is asked for.
    enum Task: Sendable {
        case chat, describe, variants, shim
    }

    let task: Task
    /// The five choices, if any were made.
    let suite: SuiteName?
    /// The published system that is described.
    let system: PublishedSystem?
    let relay: String
    let data: String?
    let key: KeyChoice
    let name: String
    let publish: String?
    let find: String?
    let linger: Duration
    /// Where files go; nil where there is no place for them.
    let downloads: String?
    /// Where keys of sealed hops are written down.
    let keyLog: String?
    let losses: Losses
    /// Where datagrams are written to.
    let capture: String?
    let seed: Int?
    let isJSON: Bool

    /// Reads the options; throws what is wrong in words.
    init(_ options: Options) throws(UsageError) {
        switch options.operands {
        case []: task = .chat
        case ["describe"]: task = .describe
        case ["variants"]: task = .variants
        case ["shim"]: task = .shim
        default: throw UsageError(description: "unexpected argument '\(options.operands.joined(separator: " "))'")
        }
        suite = try Self.suite(options)
        system = options[PeerOptions.system]
        guard system == nil || task == .describe && suite == nil else {
            throw UsageError(description: "--system goes with describe, and without other choices")
        }
        relay = options[PeerOptions.relay]
        data = options[PeerOptions.data]?.expandingHome
        switch (options[PeerOptions.passphraseFile], options[PeerOptions.keyFile]) {
        case (nil, nil): key = .passphrase
        case (let file?, nil): key = .passphraseFile(file.expandingHome)
        case (nil, let file?): key = .keyFile(file.expandingHome)
        case (_?, _?): throw UsageError(description: "give either --passphrase-file or --key-file")
        }
        name = options[PeerOptions.name]
        publish = options[PeerOptions.publish]
        find = options[PeerOptions.find]
        seed = options[PeerOptions.seed]
        capture = options[PeerOptions.capture]?.expandingHome
        guard capture == nil || task == .chat && (suite?.delivery ?? "udp") == "udp" else {
            throw UsageError(description: "--capture writes datagrams, so it goes with delivery service udp")
        }
        linger = .seconds(options[PeerOptions.linger])
        downloads = options[PeerOptions.downloads]?.expandingHome ?? data.map { $0 + "/downloads" }
        keyLog = options[PeerOptions.keyLog]?.expandingHome
        losses = Losses(
            payloads: Double(options[PeerOptions.loss]) / 100,
            datagrams: Double(options[PeerOptions.datagramLoss]) / 100,
            seed: seed.map { UInt64(bitPattern: Int64($0)) } ?? .random(in: 0 ... .max))
        isJSON = options[PeerOptions.json]
    }

    private static func suite(_ options: Options) throws(UsageError) -> SuiteName? {
        typealias Names = PeerOptions
        let single = [Names.discovery, Names.initialization, Names.conversation, Names.delivery, Names.framing]
        let isChosen = options[Names.suite] != nil || options[Names.profile] != nil
        guard isChosen || single.contains(where: { options[$0] != nil }) else { return nil }
        var name = (options[Names.profile] ?? .reference).suite
        if let text = options[Names.suite] {
            do throws(SuiteError) { name = try SuiteName(parsing: text) } catch {
                throw UsageError(description: "--suite: \(error)")
            }
        }
        if let choice = options[Names.discovery] { name.discovery = choice }
        if let choice = options[Names.initialization] { name.initialization = choice }
        if let choice = options[Names.conversation] {
            name.conversations = choice.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        }
        if let choice = options[Names.delivery] { name.delivery = choice }
        if let choice = options[Names.framing] { name.framing = choice }
        return name
    }
}

/// What is lost on purpose: shares from 0 to 1 of what goes in either direction.
struct Losses: Sendable {
    /// Between the service and the conversations: what those have to repair.
    var payloads = 0.0
    /// On the socket of delivery service udp: what that one has to repair.
    var datagrams = 0.0
    /// Draws them.
    var seed: UInt64 = 0
}

/// A command line that cannot be meant.
struct UsageError: Error, CustomStringConvertible {
    let description: String
}

/// Where the key of the data directory comes from.
enum KeyChoice: Sendable {
    /// `CHAT_PASSPHRASE`, or a question in the terminal.
    case passphrase
    case passphraseFile(String)
    case keyFile(String)

    /// The key from a file; nil where it is to be asked for.
    func named() throws(StorageError) -> StorageKey? {
        switch self {
        case .passphrase: nil
        case .passphraseFile(let file): try .passphraseFile(file)
        case .keyFile(let file): try .keyFile(file)
        }
    }
}
