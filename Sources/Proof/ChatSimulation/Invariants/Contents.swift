public import ChatModel

/// Every content is heard by everybody it was said to; or, in a world that allows for it, both sides are told.
public struct NothingLost: Invariant {
    /// "nothing lost".
    public let name = "nothing lost"
    /// Whether it is enough that both sides are told.
    let mayFail: Bool
    /// Within what time after everything was mended something must be heard that is said where all know each other.
    let healing: VirtualTime
    /// Within what time after that all participants must know of a conversation, if they ever do.
    let firstContact: VirtualTime

    /// Checks a run at its end.
    ///
    /// - Parameters:
    ///   - mayFail: whether a content counts as dealt with whose sender was told that it failed, and of whose
    ///     conversation everybody who missed it was told that something will not come.
    ///   - healing: the time within which it must be heard, from when it was said, everything was mended, or all
    ///     participants knew of the conversation, whichever was latest.
    ///   - firstContact: the time after everything was mended within which they must know of it, if they ever do.
    public init(mayFail: Bool = false, healing: VirtualTime = .never, firstContact: VirtualTime = .never) {
        (self.mayFail, self.healing, self.firstContact) = (mayFail, healing, firstContact)
    }

    /// Names the first content that somebody misses.
    public mutating func concluded(_ ledger: Ledger, _ tally: Tally) -> Finding? {
        for (number, thread) in ledger.threads.enumerated() {
            let late = ledger.firstContact(of: thread)
            guard late > firstContact else { continue }
            return Finding(
                "conversation \(number) was known to all \(late) after everything was mended; "
                    + "\(firstContact) are allowed", peers: thread.participants, thread: number)
        }
        for (number, content) in ledger.contents.enumerated() {
            let missing = ledger.missing(number)
            guard let first = missing.first else {
                if let finding = checkTime(number, content, ledger) { return finding }
                continue
            }
            if isExcused(content, missing, in: ledger) { continue }
            let sender = ledger.threads[content.thread].participants[content.sender]
            let text =
                "\(ParticipantNames.name(first)) never heard content \(number) of \(content.size) bytes, which "
                + "\(ParticipantNames.name(sender)) said at \(content.time) in conversation \(content.thread); "
                + "\(ledger.outstanding) hearings are missing"
            return Finding(text, peers: [sender, first], thread: content.thread)
        }
        return nil
    }

    /// Whether everybody concerned has been told that a content is not heard.
    private func isExcused(_ content: Ledger.Content, _ missing: [Int], in ledger: Ledger) -> Bool {
        // A device that was set back to a time before it said something cannot be told, nor tell anybody of it.
        if content.isForgotten { return true }
        let thread = ledger.threads[content.thread]
        let places = missing.compactMap { thread.place(of: $0) }
        // Who never got any of the invites cannot hear what follows them and cannot be told; the sender must be.
        let isReceiverTold = places.allSatisfy {
            thread.ids[$0] == nil || mayFail && thread.told & 1 << UInt64($0) != 0
        }
        guard isReceiverTold else { return false }
        if case .failed = content.status { return true }
        return false
    }

    private func checkTime(_ number: Int, _ content: Ledger.Content, _ ledger: Ledger) -> Finding? {
        let late = ledger.healing(of: content)
        guard late > healing else { return nil }
        return Finding(
            "content \(number) was heard \(late) after it was said, everything was mended and all knew of the conversation; "
                + "\(healing) are allowed",
            peers: [ledger.threads[content.thread].participants[content.sender]], thread: content.thread)
    }
}

/// Nobody hears a content twice, and nobody hears its own.
public struct NothingTwice: Invariant {
    /// "nothing twice".
    public let name = "nothing twice"

    /// Checks each hearing.
    public init() {}

    /// Names the content that came again.
    public mutating func heard(_ hearing: Hearing, in ledger: Ledger) -> Finding? {
        guard let number = hearing.content, !hearing.isFirst else { return nil }
        // A device that was set back has forgotten what it heard.
        guard !ledger.rolledBack.contains(hearing.peer) else { return nil }
        return "\(ParticipantNames.name(hearing.peer)) heard content \(number) again"
    }
}

/// What is heard was said, with the same bytes, in the same conversation, to the one who hears it.
public struct NothingInvented: Invariant {
    /// "nothing invented".
    public let name = "nothing invented"

    /// Checks each hearing.
    public init() {}

    /// Names what was wrong with the content.
    public mutating func heard(_ hearing: Hearing, in ledger: Ledger) -> Finding? {
        let name = ParticipantNames.name(hearing.peer)
        guard let number = hearing.content else {
            return "\(name) heard \(hearing.received.content.count) bytes that nobody said"
        }
        guard hearing.place != nil else { return "\(name) heard content \(number), which was said to others" }
        return hearing.isInPlace ? nil : "\(name) heard content \(number) in another conversation"
    }
}

/// Whoever hears a content has heard everything that its sender knew of the conversation when it said it.
public struct CausalOrder: Invariant {
    /// "causal order".
    public let name = "causal order"
    /// How much of each participant's log every other is known to know, by thread.
    private var checked: [[Int32]] = []

    /// Checks each hearing.
    public init() {}

    /// Names what should have come first.
    public mutating func heard(_ hearing: Hearing, in ledger: Ledger) -> Finding? {
        guard hearing.isFirst, let number = hearing.content, let place = hearing.place else { return nil }
        let content = ledger.contents[number]
        // What cannot come any more, or comes anew, cannot come first.
        guard ledger.threads[content.thread].hasOrder else { return nil }
        let count = ledger.threads[content.thread].participants.count
        while checked.count <= content.thread { checked.append([]) }
        if checked[content.thread].isEmpty { checked[content.thread] = Array(repeating: 0, count: count * count) }
        let pair = place * count + content.sender
        let first = max(content.since, Int(checked[content.thread][pair]))
        for index in first..<max(content.before, first) {
            let earlier = Int(ledger.threads[content.thread].logs[content.sender][index])
            let before = ledger.contents[earlier]
            guard before.knownBy & 1 << UInt64(place) == 0, ledger.isHonest(before) else { continue }
            let sender = ledger.threads[content.thread].participants[content.sender]
            return Finding(
                "\(ParticipantNames.name(hearing.peer)) heard content \(number) before content \(earlier), "
                    + "which its sender knew when it said it", peers: [sender])
        }
        checked[content.thread][pair] = max(checked[content.thread][pair], Int32(content.before))
        return nil
    }
}

/// Once everything has been heard, all participants of a conversation have the same in the same order.
public struct EqualLogs: Invariant {
    /// "equal logs".
    public let name = "equal logs"

    /// Checks each conversation at the end.
    public init() {}

    /// Names the first place at which two logs differ.
    public mutating func healed(_ orders: [[String]], thread: Int, in ledger: Ledger) -> Finding? {
        guard ledger.threads[thread].hasOrder, let first = orders.first else { return nil }
        for (place, other) in orders.enumerated() where other != first {
            let names = [0, place].map { ParticipantNames.name(ledger.threads[thread].participants[$0]) }
            let same = zip(first, other).prefix { $0 == $1 }.count
            return Finding(
                "\(names[0]) has \(first.count) messages and \(names[1]) \(other.count); they differ from number \(same) on",
                peers: [ledger.threads[thread].participants[0], ledger.threads[thread].participants[place]],
                thread: thread)
        }
        return nil
    }
}

/// What a sender is told is so: delivered means that everybody has heard it, and nothing fails after that.
public struct HonestStatus: Invariant {
    /// "honest status".
    public let name = "honest status"

    /// Checks each status, and at the end whether what was delivered was heard.
    public init() {}

    /// A status may only get better, or fail.
    public mutating func told(_ status: ContentStatus, of content: Int, in ledger: Ledger) -> Finding? {
        guard let before = ledger.contents[content].status, status.rank < before.rank else { return nil }
        return "content \(content) is told to be \(status) after it was \(before)"
    }

    /// Names the first content that was told to be delivered and was not heard.
    public mutating func concluded(_ ledger: Ledger, _ tally: Tally) -> Finding? {
        for (number, content) in ledger.contents.enumerated() where content.status == .delivered {
            guard let first = ledger.missing(number).first else { continue }
            let sender = ledger.threads[content.thread].participants[content.sender]
            return Finding(
                "content \(number) is told to be delivered, and \(ParticipantNames.name(first)) has not heard it",
                peers: [sender, first], thread: content.thread)
        }
        return nil
    }
}

extension ContentStatus {
    /// Better statuses are higher; one that failed may yet turn out to have arrived.
    fileprivate var rank: Int {
        switch self {
        case .failed, .cancelled: 1
        case .accepted: 0
        case .sent: 1
        case .delivered: 2
        }
    }
}
