import ChatCodec
public import ChatInspect
import ChatModel
public import ChatTool

extension Kind: OptionValue {
    /// A kind by its name.
    public init?(option text: String) { self.init(rawValue: text) }
    /// Its name.
    public var optionText: String { rawValue }
    /// All names.
    public static var expected: String { "one of \(allCases.map(\.rawValue).joined(separator: ", "))" }
}

/// The options and what is behind them.
enum InspectOptions {
    static let kind = ChatTool.Option<Kind?>("as", "KIND", "what the input is; found out if not given")
    static let identity = ChatTool.Option<String?>("identity", "KEY", "private identity key of the one invited")
    static let ephemeral = ChatTool.Option<String?>("ephemeral", "KEY", "private single-use key; may be repeated")
    static let secret = ChatTool.Option<String?>("secret", "KEY", "secret of a conversation; may be repeated")
    static let messageKey = ChatTool.Option<String?>("key", "KEY", "message key of a ratchet; may be repeated")
    static let state = ChatTool.Option<String?>(
        "state", "BYTES", "state record of a ratchet conversation; may be repeated")
    static let route = ChatTool.Option<String?>("id", "TEXT", "id to compare a hint with; may be repeated")
    static let keyLog = ChatTool.Option<String?>(
        "key-log", "FILE", "keys of sealed hops, as chat-relay --key-log writes them")
    static let only = ChatTool.Option<String?>(
        "case", "ID", "the trees of one case of a file of vectors, or of one packet of a capture by its number")
    static let lines = ChatTool.Option<Bool>("lines", "each line of the input is an object of its own")
    static let binary = ChatTool.Option<Bool>("binary", "take the input as it is, not as hex or base64")
    static let lua = ChatTool.Option<Bool>("lua", "print a dissector for Wireshark in Lua, and end")
    static let full = ChatTool.Option<Bool>("full", "print values in full length")
    static let json = ChatTool.Option<Bool>("json", "print JSON, values in full length")

    static let command = Command(
        "chat-inspect", summary: "Says what the bytes of a chat protocol are, and where they break.",
        options: [
            kind, identity, ephemeral, secret, messageKey, state, route, keyLog, only, lines, binary, full, lua, json,
        ],
        rest: "INPUT",
        notes: """
            INPUT is a link, bytes as hex or base64, or the name of a file with one of these, with the bytes
            themselves, with test vectors or with a capture (pcapng); without it, or with -, standard input is read.
            KINDS: \(kinds)
            KEY is 32 bytes in hex. @FILE instead of KEY or BYTES reads hex from a file, which keeps it out of the
            list of processes. Keys are never printed.
            exit codes: 0 well-formed, 1 malformed, unsupported or unknown, 2 called wrongly
            """)

    private static let kinds = {
        let names = Kind.allCases.map(\.rawValue)
        return names.prefix(11).joined(separator: " ") + "\n       " + names.dropFirst(11).joined(separator: " ")
    }()

    /// The input, wherever it comes from.
    static func input(_ options: Options) throws(InputFailure) -> [UInt8] {
        try CapturedInput.read(options.operands, limit: Input.maximumBytes)
    }

    /// The keys that were given.
    static func keys(_ options: Options) throws(InputFailure) -> Keys {
        var keys = Keys(routes: options.all(route).compactMap(\.self))
        keys.identity = try secrets(options, identity, size: 32).last
        keys.ephemerals = try secrets(options, ephemeral, size: 32)
        keys.secrets = try secrets(options, secret, size: 32)
        keys.messageKeys = try secrets(options, messageKey, size: 32)
        keys.states = try secrets(options, state, size: nil)
        if let path = options[keyLog] {
            let text = try CapturedInput.read(file: path, limit: 64 << 20)
            keys.read(keyLog: String(decoding: text, as: UTF8.self))
        }
        return keys
    }

    private static func secrets(
        _ options: Options, _ option: ChatTool.Option<String?>, size: Int?
    ) throws(InputFailure) -> [Secret] {
        var secrets: [Secret] = []
        for text in options.all(option).compactMap(\.self) {
            var digits = text
            if text.hasPrefix("@") {
                let path = String(text.dropFirst())
                digits = String(decoding: try CapturedInput.read(file: path, limit: Input.maximumBytes), as: UTF8.self)
            }
            guard let bytes = try? Hex.decode(digits.filter { !$0.isWhitespace }), size == nil || bytes.count == size
            else {
                // The value itself is not named: it may be a secret with a slip of the pen.
                throw InputFailure("--\(option.name): not \(size.map { "\($0) bytes in " } ?? "")hex")
            }
            secrets.append(Secret(copying: bytes.span))
        }
        return secrets
    }
}
