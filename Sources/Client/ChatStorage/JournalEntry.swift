import ChatCrypto
import ChatModel

/// One transaction as it stands in a journal (STORE-3).
///
/// Neither the first nor the last byte is zero, so an entry of which only a part was written is told
/// from a complete one, whatever zeros the system put behind it.
enum JournalEntry {
    /// The first byte.
    static let mark: UInt8 = 0xE1
    /// The last byte.
    static let endMark: UInt8 = 0x1E
    /// Bytes in front of the sealed transaction: mark, length, nonce, tag of these.
    static let headerSize = 1 + 4 + nonceSize + AEAD.tagSize
    /// Bytes that an entry has besides its transaction.
    static let overhead = headerSize + AEAD.tagSize + 1
    private static let nonceSize = 24
    private static let tagged = 1 + 4 + nonceSize

    /// Seals changes as the entry of a number.
    static func seal(
        _ changes: some Sequence<Record>, size: Int, number: UInt64, _ keys: JournalKeys,
        _ random: inout any RandomSource
    ) throws(StorageError) -> [UInt8] {
        let nonce = random.bytes(nonceSize, for: .nonce)
        var entry: [UInt8] = []
        entry.reserveCapacity(size + overhead)
        entry.append(mark)
        entry.append(number: UInt32(truncatingIfNeeded: size))
        entry += nonce
        entry.append(keys.lengthTag(of: entry.span, number: number))
        let header = entry
        Transaction.write(changes, to: &entry)
        do {
            entry += try keys.seal(&entry, behind: header, nonce: nonce)
        } catch {
            throw .badKey("the journal's entry could not be sealed: \(error)")
        }
        entry.append(endMark)
        return entry
    }

    /// How long the transaction is that begins at an offset; nil if no entry of this number does.
    static func size(_ bytes: Span<UInt8>, at offset: Int, number: UInt64, _ keys: JournalKeys) -> Int? {
        guard offset >= 0, headerSize <= bytes.count - offset, bytes[offset] == mark,
            let size = bytes.number(at: offset + 1, bytes: 4),
            let tag = bytes.secret(at: offset + tagged, count: AEAD.tagSize)
        else { return nil }
        let start = bytes.extracting(offset..<offset + tagged)
        return keys.lengthTag(of: start, number: number) == tag ? size : nil
    }

    /// Opens a complete entry whose header has been found to be authentic.
    static func open(_ entry: Span<UInt8>, _ keys: JournalKeys) throws(JournalFault) -> [Record] {
        guard entry.count >= overhead, entry[entry.count - 1] == endMark,
            let header = entry.part(at: 0, count: headerSize)?.array,
            let nonce = entry.part(at: 5, count: nonceSize)?.array,
            var transaction = entry.part(at: headerSize, count: entry.count - overhead)?.array,
            let tag = entry.part(at: entry.count - 1 - AEAD.tagSize, count: AEAD.tagSize)?.array
        else { throw .changed }
        defer {
            var span = transaction.mutableSpan
            wipe(&span)
        }
        do {
            try keys.open(&transaction, tag: tag, nonce: nonce, header: header)
        } catch {
            throw .changed
        }
        guard let changes = Transaction.read(transaction.span) else { throw .unreadable }
        return changes
    }
}

/// The fault of a complete entry.
enum JournalFault: String, Error {
    /// It is not what was written.
    case changed = "entry"
    /// It is authentic and still no transaction.
    case unreadable = "the transaction in entry"
}
