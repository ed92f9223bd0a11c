import ChatCrypto
import ChatModel

/// The first bytes of a journal: where its key comes from and which journal it is (STORE-2).
struct JournalHeader: Sendable, Equatable {
    /// `chat-jnl` in ASCII.
    static let magic: [UInt8] = Array("chat-jnl".utf8)
    /// The only version so far.
    static let version: UInt8 = 1
    /// The size in bytes.
    static let size = 82
    /// The bytes that the tag covers.
    private static let tagged = 50
    /// The bytes that the checksum covers.
    private static let checked = 66

    /// Where the key comes from.
    var source: KeySource
    /// Drawn anew for every file, so that no entry of one file fits into another.
    var id: [UInt8]

    /// The header with its tag and checksum.
    func bytes(_ keys: JournalKeys) -> [UInt8] {
        var output = Self.magic + [Self.version, source.kind]
        output.append(number: source.cost.operations)
        output.append(number: source.cost.memory)
        output += source.salt + id
        output.append(keys.headerTag(of: output.span))
        return output + BLAKE2b.hash(count: 16, output.span)
    }

    /// Reads a header; its tag can be checked once its key is known.
    init(_ bytes: Span<UInt8>, path: String) throws(StorageError) {
        guard bytes.count >= Self.magic.count, bytes.part(at: 0, count: Self.magic.count)?.array == Self.magic else {
            throw .notAJournal(path: path, reason: "it does not begin with \"chat-jnl\"")
        }
        guard let version = bytes.number(at: 8, bytes: 1), version == Self.version else {
            throw .unsupportedVersion(bytes.number(at: 8, bytes: 1) ?? 0, path: path)
        }
        guard bytes.count >= Self.size, let kind = bytes.number(at: 9, bytes: 1),
            let operations = bytes.number(at: 10, bytes: 4), let memory = bytes.number(at: 14, bytes: 4),
            let salt = bytes.part(at: 18, count: 16), let id = bytes.part(at: 34, count: 16)
        else { throw .notAJournal(path: path, reason: "it has \(bytes.count) bytes and a header \(Self.size)") }
        let checksum = BLAKE2b.hash(count: 16, bytes.extracting(0..<Self.checked))
        guard checksum == bytes.part(at: Self.checked, count: 16)?.array else {
            throw .tampered("the header", path: path, at: 0)
        }
        let cost = PassphraseCost(operations: UInt32(operations), memory: UInt32(memory))
        source = try KeySource(kind: UInt8(kind), cost: cost, salt: salt.array, path: path)
        self.id = id.array
    }

    /// A header of a new file.
    init(source: KeySource, id: [UInt8]) {
        (self.source, self.id) = (source, id)
    }

    /// Whether keys are those that the header was written with.
    static func isTagged(_ bytes: Span<UInt8>, by keys: JournalKeys) -> Bool {
        guard bytes.count >= size, let tag = bytes.secret(at: tagged, count: AEAD.tagSize) else { return false }
        return keys.headerTag(of: bytes.extracting(0..<tagged)) == tag
    }
}
