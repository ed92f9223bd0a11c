internal import ChatModel

/// Our own entries: which sequence is next, and what others are to find under each name (DIR-4, DIR-10).
struct PublishedEntries {
    /// The entry that the service accepted last under a name.
    struct Entry {
        let sequence: UInt64
        /// None if it was withdrawn.
        let bundles: [IntroductionBundle]
    }

    private var last: [DirectoryName: UInt64] = [:]
    private var taken: [DirectoryName: Entry] = [:]
    private var underWay: [DirectoryName: Int] = [:]

    /// Whether nothing was published under a name yet.
    func isNew(_ name: DirectoryName) -> Bool { last[name] == nil }

    /// The entries that searches are to find, by name.
    var wanted: [DirectoryName: Entry] { taken.filter { !$0.value.bundles.isEmpty } }

    /// Publishing begins; returns the sequence, nil if there is no larger one. ``end(_:_:_:)`` is to follow.
    ///
    /// - Parameter seen: the newest sequence of ours that others have.
    mutating func begin(_ name: DirectoryName, at now: Timestamp, seen: UInt64) -> UInt64? {
        let newest = max(last[name] ?? 0, seen)
        guard newest < UInt64.max else { return nil }
        let sequence = max(now.milliseconds, newest + 1)
        last[name] = sequence
        underWay[name, default: 0] += 1
        return sequence
    }

    /// The same for an entry that is not found any more; nil too if a newer one is there or on its way.
    mutating func beginAgain(_ name: DirectoryName, after entry: Entry, at now: Timestamp, seen: UInt64) -> UInt64? {
        guard underWay[name] == nil, taken[name]?.sequence == entry.sequence else { return nil }
        return begin(name, at: now, seen: seen)
    }

    /// Publishing ended; nil bundles if the service did not take them.
    mutating func end(_ name: DirectoryName, _ sequence: UInt64, _ bundles: [IntroductionBundle]?) {
        let left = (underWay[name] ?? 1) - 1
        underWay[name] = left > 0 ? left : nil
        guard let bundles, (taken[name]?.sequence ?? 0) < sequence else { return }
        taken[name] = Entry(sequence: sequence, bundles: bundles)
    }
}
