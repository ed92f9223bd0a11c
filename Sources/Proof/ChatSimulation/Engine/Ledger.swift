public import ChatModel

/// What was said and who has heard it: common knowledge that no peer has, by which a run is judged.
public struct Ledger: Sendable {
    /// One thing that somebody said, from when it was stored by its sender.
    public struct Content: Sendable {
        /// Where it was said.
        public let thread: Int
        /// Who said it, as a place among the thread's participants.
        public let sender: Int
        /// Its bytes.
        public let size: Int
        /// When its sender had stored it.
        public let time: VirtualTime
        /// How much of the thread its sender had said and heard before, as a length of its log.
        public let before: Int
        /// From where on in its log, since it does not know what a device forgot that was set back.
        public let since: Int
        /// Who knows it, a bit for each participant.
        public internal(set) var knownBy: UInt64
        /// What its sender was told last.
        public internal(set) var status: ContentStatus?
        /// The payloads that its sender published for it, and when the first of them.
        var payloads: (first: VirtualTime, ids: Set<PayloadID>)?
        /// When somebody heard it last for the first time.
        public internal(set) var lastHeard = VirtualTime.zero
        /// Whether its sender's device was set back to a time before it said this, so that nobody can tell it anything.
        public internal(set) var isForgotten = false
    }

    /// One conversation.
    public struct Thread: Sendable {
        /// Numbers of the peers that take part; the first one began it.
        public let participants: [Int]
        /// The conversation's id on each participant's client, as far as known.
        public internal(set) var ids: [ConversationID?]
        /// What each participant said and heard, in its order: numbers of contents.
        public internal(set) var logs: [[Int32]]
        /// How much of its log each participant forgot when it was set back, at most.
        var forgotten: [Int]
        /// Gaps that participants were told to be final.
        public internal(set) var finalGaps = 0
        /// Contents that were cut anew, so that they come behind what was said after them.
        public internal(set) var cutAnew = 0
        /// Who was told that something of the conversation will not come, a bit for each participant.
        public internal(set) var told: UInt64 = 0
        /// Whether somebody was told that its keys fit no longer, so that what is said there is tried in vain.
        public internal(set) var isBroken = false
        /// When a participant last learned of it for the first time.
        public internal(set) var met = VirtualTime.zero
        /// Whether the one who was to begin it was refused at once.
        public internal(set) var isRefused = false
        /// Contents that a participant is to say once it knows the conversation.
        var unsaid: [Int]

        /// Whether nothing of it was given up or cut anew.
        var hasOrder: Bool { finalGaps == 0 && cutAnew == 0 }

        init(_ participants: [Int]) {
            self.participants = participants
            ids = Array(repeating: nil, count: participants.count)
            logs = Array(repeating: [], count: participants.count)
            unsaid = Array(repeating: 0, count: participants.count)
            forgotten = unsaid
        }

        /// The place of a peer among the participants.
        public func place(of peer: Int) -> Int? { participants.firstIndex(of: peer) }
    }

    /// The most participants of a thread: who knows a content is one word.
    static let maximumParticipants = 64

    /// Everything that was said, by number.
    public private(set) var contents: [Content] = []
    /// All conversations, by number.
    public internal(set) var threads: [Thread]
    /// Hearings that are still to come.
    public private(set) var outstanding = 0
    /// When everything was mended; zero before.
    public internal(set) var healed = VirtualTime.zero
    /// Peers that lie: nothing that they say or hear is judged.
    public let liars: Range<Int>
    /// Peers whose devices were set back to an old copy.
    public internal(set) var rolledBack: Set<Int> = []

    init(threads: [[Int]], liars: Range<Int> = 0..<0) {
        self.threads = threads.map { Thread($0) }
        self.liars = liars
    }

    /// Whether everybody in a thread is honest.
    func isHonest(_ thread: Int) -> Bool { !threads[thread].participants.contains(where: liars.contains) }

    /// Whether who said a content is honest.
    func isHonest(_ content: Content) -> Bool { !liars.contains(threads[content.thread].participants[content.sender]) }

    /// Whether it counts that a participant of a thread hears a content.
    private func counts(_ content: Content, for place: Int) -> Bool {
        isHonest(content) && !liars.contains(threads[content.thread].participants[place])
    }

    /// Takes up what a sender has stored; returns its number.
    mutating func say(_ draft: Draft, at time: VirtualTime) {
        let count = threads[draft.thread].participants.count
        let before = threads[draft.thread].logs[draft.sender].count
        contents.append(
            Content(
                thread: draft.thread, sender: draft.sender, size: draft.size, time: time, before: before,
                since: threads[draft.thread].forgotten[draft.sender],
                knownBy: 1 << UInt64(draft.sender)))
        threads[draft.thread].logs[draft.sender].append(Int32(contents.count - 1))
        outstanding += (0..<count).count { $0 != draft.sender && counts(contents[contents.count - 1], for: $0) }
    }

    /// Notes that a participant heard a content; false if it had before.
    mutating func hear(_ number: Int, by place: Int, at time: VirtualTime) -> Bool {
        let bit: UInt64 = 1 << UInt64(place)
        guard contents[number].knownBy & bit == 0 else { return false }
        contents[number].knownBy |= bit
        contents[number].lastHeard = time
        threads[contents[number].thread].logs[place].append(Int32(number))
        if counts(contents[number], for: place) { outstanding -= 1 }
        return true
    }

    /// A device is set back: it has forgotten what it said, but for the contents that its copy knows.
    mutating func forget(_ peer: Int, but known: [Int32]) {
        rolledBack.insert(peer)
        for thread in threads.indices {
            guard let place = threads[thread].place(of: peer) else { continue }
            threads[thread].forgotten[place] = threads[thread].logs[place].count
        }
        let known = Set(known)
        for number in contents.indices {
            let content = contents[number]
            guard threads[content.thread].participants[content.sender] == peer else { continue }
            // What its device tells from now on is what its copy knows.
            contents[number].status = nil
            if !known.contains(Int32(number)) { contents[number].isForgotten = true }
        }
    }

    /// A payload is published for a content. One that comes later than others, and is none of them, is a smaller piece
    /// of what was cut anew, and comes behind what was said in between (REL-12).
    mutating func notePayload(_ id: PayloadID, of number: Int, at now: VirtualTime) {
        guard let (first, ids) = contents[number].payloads else {
            contents[number].payloads = (now, [id])
            return
        }
        if now > first, !ids.contains(id) { threads[contents[number].thread].cutAnew += 1 }
        contents[number].payloads?.ids.insert(id)
    }

    /// Notes what a sender was told.
    mutating func tell(_ number: Int, _ status: ContentStatus) {
        contents[number].status = status
    }

    /// How long it took until a content was last heard for the first time: from when it was said, everything was mended,
    /// or all participants knew of the conversation, whichever was latest.
    func healing(of content: Content) -> VirtualTime {
        guard isHonest(content) else { return .zero }
        return content.lastHeard.since(max(content.time, healed, threads[content.thread].met))
    }

    /// How long it took after everything was mended until all participants knew of a conversation, as far as they do.
    func firstContact(of thread: Thread) -> VirtualTime { thread.met.since(healed) }

    /// Honest participants who do not know what an honest one said.
    public func missing(_ number: Int) -> [Int] {
        let content = contents[number]
        let participants = threads[content.thread].participants
        return participants.indices.filter { content.knownBy & 1 << UInt64($0) == 0 && counts(content, for: $0) }
            .map { participants[$0] }
    }
}

/// A content that is to be said: its bytes name it, so that whoever hears it knows which it is.
struct Draft: Sendable {
    let number: Int
    let thread: Int
    let sender: Int
    let size: Int

    /// The fewest bytes that can name a content.
    static let minimumSize = 8

    /// The number, then bytes that follow from it.
    var content: Content {
        Bytes(headRoom: 0, count: size) { output in
            output.append(big: UInt64(number))
            for index in 8..<size { output.append(Self.filler(number, index)) }
        }
    }

    /// The number that bytes name; nil if they are not exactly the content of that number.
    static func number(of content: Content) -> Int? {
        let span = content.span
        guard span.count >= minimumSize else { return nil }
        let number = span.bigEndian(0..<8)
        guard number < UInt64(Int32.max) else { return nil }
        for index in 8..<span.count where span[index] != filler(Int(number), index) { return nil }
        return Int(number)
    }

    private static func filler(_ number: Int, _ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (number &+ 1) &* 0x9D &+ index &* 0x3B)
    }
}
