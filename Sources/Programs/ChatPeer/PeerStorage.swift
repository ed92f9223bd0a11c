import ChatClient
import ChatCrypto
import ChatModel
import ChatStorage

/// What the peer itself keeps beside the client's records: who it is, and of what it is composed.
struct PeerStorage: Sendable {
    /// Where everything is kept.
    let storage: any Storage
    /// The long-term key pair, made at the first start.
    let identity: KeyPair
    /// The composition of an earlier run.
    let suite: SuiteName?

    /// With whom what is typed was said when the last run ended.
    let choice: Session.Choice?

    /// What conversations are called.
    let names: [ConversationID: String]

    /// What others could read or write until it was opened.
    let exposed: [String]

    /// The last lines of conversations.
    let histories: [ConversationID: String]

    private static let historyPrefix = "peer/history/"
    private static let namePrefix = "peer/name/"
    private static let choiceKey = "peer/choice"
    private static let identityKey = "peer/identity"
    private static let suiteKey = "peer/suite"
    private static let version: UInt8 = 1

    /// Opens the data directory, or storage that lasts as long as the process.
    init(in path: String?, key: StorageKey?) throws(StorageError) {
        exposed = path.map(DirectoryModes.exposed) ?? []
        if let path, let key {
            storage = try DirectoryStorage(path: path, key: key)
        } else {
            storage = InMemoryStorage()
        }
        let records = try storage.load()
        suite = try Self.read(Self.suiteKey, in: records).map { bytes throws(StorageError) in
            let text = String(decoding: bytes.array, as: UTF8.self)
            do throws(SuiteError) { return try SuiteName(parsing: text) } catch {
                throw .unreadable(Self.suiteKey)
            }
        }
        choice = try Self.read(Self.choiceKey, in: records).map {
            $0.isEmpty ? .nobody : .chosen(ConversationID(String(decoding: $0.array, as: UTF8.self)))
        }
        names = try Self.texts(Self.namePrefix, in: records)
        histories = try Self.texts(Self.historyPrefix, in: records)
        if let bytes = try Self.read(Self.identityKey, in: records) {
            let secret = Secret(copying: bytes.span)
            do throws(CryptoError) {
                identity = KeyPair(secret: secret, publicKey: try X25519.publicKey(of: secret))
            } catch { throw .unreadable(Self.identityKey) }
        } else {
            var random: any RandomSource = SystemRandom()
            identity = X25519.generate(using: &random, for: .secret)
            try storage.commit([Record(Self.identityKey, identity.secret.lend(to: Self.record))])
        }
    }

    /// Keeps the composition, so that the next run need not be told again.
    func keep(_ suite: SuiteName) throws(StorageError) {
        try storage.commit([Record(Self.suiteKey, Self.record(Array(suite.description.utf8).span))])
    }

    /// Keeps with whom what is typed is said.
    func keep(_ choice: Session.Choice) throws(StorageError) {
        let text = if case .chosen(let id) = choice { id.text } else { "" }
        try storage.commit([Record(Self.choiceKey, Self.record(Array(text.utf8).span))])
    }

    /// Keeps what a conversation is called.
    func keep(_ name: String, of id: ConversationID) throws(StorageError) {
        try storage.commit([Record(Self.namePrefix + id.text, Self.record(Array(name.utf8).span))])
    }

    private static func record(_ bytes: Span<UInt8>) -> Bytes {
        Bytes(headRoom: 0, count: 1 + bytes.count) { output in
            output.append(version)
            for index in bytes.indices { output.append(bytes[index]) }
        }
    }

    /// Keeps the last lines of a conversation.
    func keep(history text: String, of id: ConversationID) throws(StorageError) {
        try storage.commit([Record(Self.historyPrefix + id.text, Self.record(Array(text.utf8).span))])
    }

    /// The texts that are kept for conversations under a prefix.
    private static func texts(
        _ prefix: String, in records: [Record]
    ) throws(StorageError) -> [ConversationID: String] {
        var texts: [ConversationID: String] = [:]
        for record in records where record.key.hasPrefix(prefix) {
            guard let bytes = try read(record.key, in: [record]) else { continue }
            texts[ConversationID(String(record.key.dropFirst(prefix.count)))] = String(
                decoding: bytes.array, as: UTF8.self)
        }
        return texts
    }

    private static func read(_ key: String, in records: [Record]) throws(StorageError) -> Bytes? {
        guard let bytes = records.first(where: { $0.key == key })?.bytes else { return nil }
        guard bytes.count > 0, bytes[0] == version else { throw .unreadable(key) }
        return bytes.slice(1..<bytes.count)
    }
}

extension StorageError {
    fileprivate static func unreadable(_ key: String) -> StorageError {
        .badKey("this program does not read the record \(key) of the data directory; a later version wrote it")
    }
}
