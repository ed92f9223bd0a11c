import ChatModel

/// The content of a journal, found by one walk over its bytes (STORE-5, STORE-6).
///
/// A crash leaves a journal whose last entry is cut somewhere, is followed by zeros, or lacks sectors
/// that had not reached the disk. Such a tear is no error: reading ends before it. Everything else
/// that does not authenticate was changed by somebody or something, and is refused.
struct JournalReader {
    /// The live records.
    private(set) var records: [ExactText: Bytes] = [:]
    /// How many entries there are, which is the number of the next one.
    private(set) var number: UInt64 = 0
    /// Where the next entry goes.
    private(set) var end: Int

    private static let sector = 512
    private let keys: JournalKeys
    private let limits: StorageLimits

    /// Reads a journal whose header has been read.
    init(_ bytes: Span<UInt8>, keys: JournalKeys, limits: StorageLimits, path: String) throws(StorageError) {
        (self.keys, self.limits, end) = (keys, limits, JournalHeader.size)
        // A complete entry ends with a byte that is not zero.
        var last = bytes.count
        while last > end, bytes[last - 1] == 0 { last -= 1 }
        let written = bytes.extracting(0..<last)
        do throws(JournalFault) {
            while end < last, let changes = try nextEntry(written) { records.apply(changes) }
        } catch {
            throw .tampered("\(error.rawValue) \(number)", path: path, at: end)
        }
    }

    /// The changes of the next entry; nil if it is torn.
    private mutating func nextEntry(_ bytes: Span<UInt8>) throws(JournalFault) -> [Record]? {
        let rest = bytes.count - end
        guard rest >= JournalEntry.headerSize else { return nil }
        guard let size = JournalEntry.size(bytes, at: end, number: number, keys) else {
            guard isTorn(bytes, end..<bytes.count) else { throw .changed }
            return nil
        }
        guard size <= rest - JournalEntry.overhead else { return nil }
        let place = end..<end + size + JournalEntry.overhead
        do {
            let changes = try JournalEntry.open(bytes.extracting(place), keys)
            (end, number) = (place.upperBound, number + 1)
            return changes
        } catch {
            guard case .changed = error, place.upperBound == bytes.count, isTorn(bytes, place) else { throw error }
            return nil
        }
    }

    /// Whether bytes that are not authentic are what a crash left of the last entry.
    ///
    /// Then one of its sectors is all zeros, which a sealed entry never has; and no later entry
    /// follows, for each was flushed before the next was begun.
    private func isTorn(_ bytes: Span<UInt8>, _ place: Range<Int>) -> Bool {
        guard place.count <= limits.transaction + JournalEntry.overhead else { return false }
        guard hasEmptySector(bytes, place) else { return false }
        return !place.dropFirst().contains { offset in
            JournalEntry.size(bytes, at: offset, number: number + 1, keys) != nil
        }
    }

    private func hasEmptySector(_ bytes: Span<UInt8>, _ place: Range<Int>) -> Bool {
        var isEmpty = false
        for offset in place {
            if offset == place.lowerBound || offset % Self.sector == 0 {
                if isEmpty { return true }
                isEmpty = true
            }
            if bytes[offset] != 0 { isEmpty = false }
        }
        return isEmpty
    }
}
