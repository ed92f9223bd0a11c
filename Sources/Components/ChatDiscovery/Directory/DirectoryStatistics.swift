package import ChatModel

/// Why an entry was not used.
public enum DirectoryRejection: String, Error, Sendable, Hashable, CaseIterable {
    /// It does not decode, or is beyond a limit.
    case malformed
    /// A version that is not known here.
    case unsupported
    /// It is for another name; addresses of names may coincide.
    case otherName
    /// It is another publisher's than the one asked for.
    case otherPublisher
    /// Its time is over.
    case expired
    /// Its publisher has published a newer one.
    case stale
    /// Its signature does not verify.
    case forged
    /// It was here already.
    case repeated
    /// There are more publishers under the name than a search holds.
    case tooMany
}

/// Counts of received entries, by outcome.
public struct DirectoryStatistics: Sendable, Hashable {
    /// Entries that were good.
    public internal(set) var accepted = 0
    /// Entries that were not used, by reason.
    public internal(set) var rejected: [DirectoryRejection: Int] = [:]
    /// Entries of our own that were not found any more and were published again.
    public internal(set) var publishedAgain = 0
}

/// The newest sequence of publishers, so that an older entry cannot be passed off as the current one.
package struct DirectoryMemory {
    private struct Key: Hashable {
        let name: DirectoryName
        let publisher: PublicKey
    }

    private var newest: [Key: UInt64] = [:]
    private var order: [Key] = []

    /// Nothing seen yet.
    package init() {}

    /// The newest sequence seen of a publisher under a name.
    package subscript(name: DirectoryName, publisher: PublicKey) -> UInt64? {
        newest[Key(name: name, publisher: publisher)]
    }

    /// Remembers a sequence, unless a newer one was seen.
    package mutating func see(_ sequence: UInt64, of publisher: PublicKey, under name: DirectoryName) {
        let key = Key(name: name, publisher: publisher)
        if newest[key] == nil {
            if order.count == DirectoryLimits.remembered { newest[order.removeFirst()] = nil }
            order.append(key)
        }
        newest[key] = max(sequence, newest[key] ?? 0)
    }
}
