public import ChatCodec
internal import ChatModel
import LogosFormats

/// A file of test vectors, `logos-chat-vectors/1` or ours: every case with the bytes in it that can be inspected.
public struct VectorFile: Sendable {
    /// The longest file that is read.
    public static let maximumBytes = 32 << 20

    /// What its cases are about, as the file says.
    public let kind: String
    /// The cases in their order.
    public let cases: [Case]

    /// One case.
    public struct Case: Sendable {
        /// Names it in the file.
        public let id: String
        /// What is done with it, as the file says; may be empty.
        public let operation: String
        /// Every piece of bytes in it that is of a known kind.
        public let items: [Item]
    }

    /// Bytes in a case.
    public struct Item: Sendable {
        /// Where they stand, for example `steps[2].outbound[0].payload`.
        public let path: String
        /// What they are; nil where that is to be found out.
        public let kind: Kind?
        /// The bytes, or the text of a link.
        public let input: Input
        /// What the case knows beside them.
        public let keys: Keys
        /// Whether the case says that they are good; for others either is possible.
        public let isValid: Bool

        /// Whether they are what the case says of them.
        public func agrees(_ findings: Findings) -> Bool {
            guard isValid, !findings.isSound else { return true }
            return isEncodingOnly && findings.piece.faults.allSatisfy { !$0.requirement.hasPrefix("WIRE-") }
        }

        /// Whether the case looks at the encoding alone, and not at what the values mean.
        public let isEncodingOnly: Bool

        /// Inspects them with the case's keys.
        public func findings(_ keys: Keys = Keys()) -> Findings {
            Inspector(self.keys.merged(keys)).inspect(input, as: kind)
        }
    }

    /// Reads a file; nil where it has no list of cases.
    public init?(_ json: JSON) {
        guard let list = json["cases"]?.list else { return nil }
        let kind = json["kind"]?.text ?? json["schema"]?.text ?? "unknown"
        self.kind = kind
        cases = list.enumerated().map { number, json in
            var collector = Collector(kind: kind, keys: Keys(json), profile: json["profile"]?.text ?? "")
            collector.collect(json, path: "", isValid: ["valid", nil].contains(json["result"]?.text))
            if kind == "private_v1", let played = PlayedTranscript(json) {
                for (path, plaintext) in played.opened {
                    // A faulty peer may have said anything.
                    collector.add(Input(binary: plaintext), "\(path), opened", .sds, false)
                }
            }
            return Case(
                id: json["id"]?.text ?? String(number), operation: json["operation"]?.text ?? "", items: collector.items
            )
        }
    }
}

/// Walks through a case.
private struct Collector {
    let kind: String
    let keys: Keys
    let profile: String
    var items: [VectorFile.Item] = []

    mutating func collect(_ json: JSON, path: String, isValid: Bool) {
        if let message = json.ratchetMessage { return add(message, path, .ratchet, isValid) }
        // `fields` says in JSON what the bytes beside it say.
        for member in json.members ?? [] where member.key != "fields" {
            let place = path.isEmpty ? member.key : "\(path).\(member.key)"
            if let text = member.value.text {
                add(text, under: member.key, beside: json, place, isValid)
            } else if let list = member.value.list {
                for (index, item) in list.enumerated() {
                    let isGood = isValid && ["valid", nil].contains(item["result"]?.text)
                    if let text = item.text {
                        add(text, under: member.key, beside: json, "\(place)[\(index)]", isGood)
                    } else {
                        collect(item, path: "\(place)[\(index)]", isValid: isGood)
                    }
                }
            } else {
                collect(member.value, path: place, isValid: isValid)
            }
        }
    }

    private mutating func add(_ text: String, under key: String, beside json: JSON, _ path: String, _ isValid: Bool) {
        if ["text", "intro", "link"].contains(key) { return add(Input(Array(text.utf8)), path, .link, isValid) }
        guard let bytes = try? Hex.decode(text) else { return }
        switch key {
        case "bytes": if let kind = Kind(message: json["message"]?.text ?? "") { add(bytes, path, kind, isValid) }
        case "proto": add(bytes, path, .bundle, isValid)
        case "segments": add(bytes, path, .segment, isValid)
        case "message" where ["sds", "sds_channel"].contains(kind): add(bytes, path, .sds, isValid)
        case "payload" where kind == "segmentation": return
        case "payload", "opening", "invite", "wire":
            if !bytes.isEmpty { add(Input(binary: Bytes(bytes)), path, nil, isValid) }
        case "entry": add(bytes, path, .directory, isValid)
        default:
            if let kind = Kind(rawValue: key), kind != .content, kind != .message { add(bytes, path, kind, isValid) }
        }
    }

    private mutating func add(_ bytes: [UInt8], _ path: String, _ kind: Kind, _ isValid: Bool) {
        add(Input(binary: Bytes(bytes)), path, kind, isValid)
    }

    mutating func add(_ input: Input, _ path: String, _ kind: Kind?, _ isValid: Bool) {
        items.append(
            VectorFile.Item(
                path: path, kind: kind, input: input, keys: keys, isValid: isValid,
                isEncodingOnly: self.kind == "messages"))
    }
}

extension JSON {
    /// A ratchet message that is written as an object.
    fileprivate var ratchetMessage: [UInt8]? {
        guard let dh = self["dh"]?.text.flatMap({ try? Hex.decode($0) }),
            let ciphertext = self["ciphertext"]?.text.flatMap({ try? Hex.decode($0) }),
            let number = (self["msg_num"] ?? self["msgNum"])?.uint64.flatMap({ UInt32(exactly: $0) }),
            let previous = (self["prev_chain_len"] ?? self["prevChainLen"])?.uint64.flatMap({ UInt32(exactly: $0) })
        else { return nil }
        let message = DoubleRatchetMessage(
            dh: Bytes(dh), number: number, previousChainLength: previous, ciphertext: Bytes(ciphertext))
        return message.encoded().array
    }
}

extension Keys {
    /// What a case says of the one invited.
    fileprivate init(_ json: JSON) {
        let secret = { (json: JSON) in
            json.text.flatMap { try? Hex.decode($0) }.flatMap { $0.count == 32 ? Secret(copying: $0.span) : nil }
        }
        self.init()
        identity = json["identity_private"].flatMap(secret)
        ephemerals = (json["ephemeral_privates"]?.list ?? []).compactMap(secret)
    }

    /// These and others.
    fileprivate func merged(_ others: Keys) -> Keys {
        var keys = self
        keys.identity = keys.identity ?? others.identity
        keys.ephemerals += others.ephemerals
        keys.messageKeys += others.messageKeys
        keys.secrets += others.secrets
        keys.states += others.states
        keys.routes += others.routes
        return keys
    }
}

extension Kind {
    /// The kind of a message by the name that vectors give it.
    fileprivate init?(message: String) {
        switch message {
        case "EnvelopeV1": self = .envelope
        case "EncryptedPayload": self = .payload
        case "Doubleratchet": self = .ratchet
        case "InboxHandshakeV1": self = .handshake
        case "InboxV1Frame": self = .inboxFrame
        case "IntroBundle": self = .bundle
        case "PrivateV1Frame": self = .libchatFrame
        case "PrivateV1FrameDocument": self = .frame
        case "SdsMessage": self = .sds
        case "ReliablePayload": self = .reliable
        case "SegmentMessageProto": self = .segment
        case "ContentFrame": self = .content
        case "SignedDirectoryEntry": self = .directory
        default: return nil
        }
    }
}
