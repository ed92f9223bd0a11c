/// What happened in a run, one entry after the other, for those who want to see it.
public struct Trace: Sendable {
    /// One thing that happened.
    public struct Entry: Sendable, Hashable {
        /// When.
        public let time: VirtualTime
        /// To whom.
        public let peer: Int
        /// What.
        public let kind: Kind
        /// The thread that it belongs to, where that is known.
        public var thread: Int?
        /// The content that it belongs to, where that is known.
        public var content: Int?
    }

    /// What can happen.
    public enum Kind: Sendable, Hashable {
        /// An application said something of so many bytes.
        case said(bytes: Int)
        /// A client published a payload: its serial number and its bytes.
        case published(UInt32, bytes: Int)
        /// The service refused a payload.
        case rejected(UInt32, why: String)
        /// A copy of a payload is lost on its way to a peer.
        case lost(UInt32, to: Int, why: String)
        /// A client dealt with a payload.
        case received(UInt32, from: Int)
        /// An application heard something.
        case heard(again: Bool)
        /// An application was told something else.
        case told(String)
        /// A process ended.
        case crashed(String)
        /// A process started again.
        case restarted
        /// A peer's link or application changed.
        case changed(String)
        /// An alarm rang.
        case alarm
    }

    /// All entries in order.
    public private(set) var entries: [Entry] = []
    /// Entries that were dropped because there were too many.
    public private(set) var dropped = 0
    /// The most entries that are kept; the oldest go first.
    public let capacity: Int

    /// An empty trace.
    public init(capacity: Int = 1_000_000) {
        self.capacity = capacity
    }

    mutating func add(_ entry: Entry) {
        if entries.count >= 2 * capacity {
            dropped += entries.count - capacity
            entries.removeFirst(entries.count - capacity)
        }
        entries.append(entry)
    }

    /// What a violation is about: its peers, its thread if it has one, and what happened before it.
    public func entries(about violation: Violation) -> [Entry] {
        var serials: Set<UInt32> = []
        return entries.filter { entry in
            guard violation.peers.isEmpty || violation.peers.contains(entry.peer) else { return false }
            guard let thread = violation.thread else { return true }
            switch entry.kind {
            case .published(let serial, _):
                guard entry.thread == nil || entry.thread == thread else { return false }
                serials.insert(serial)
                return true
            case .received(let serial, _), .lost(let serial, _, _), .rejected(let serial, _):
                return serials.contains(serial)
            default: return entry.thread == nil || entry.thread == thread
            }
        }
    }
}

extension Trace {
    /// The lines of a timeline; of what a peer does more than twice in a row, numbers aside, only the first and how often.
    public static func lines(_ entries: some Sequence<Entry>) -> [String] {
        var (lines, last, repeats): ([String], Entry?, [Entry]) = ([], nil, [])
        func close() {
            guard let end = repeats.last else { return }
            lines +=
                repeats.count == 1 ? ["\(end)"] : ["      … \(repeats.count) times more like it, until \(end.time)"]
            repeats = []
        }
        for entry in entries {
            if let last, last.peer == entry.peer, last.shape == entry.shape {
                repeats.append(entry)
                continue
            }
            close()
            lines.append("\(entry)")
            last = entry
        }
        close()
        return lines
    }

    /// The first entries at which two runs differ; nil for one that has ended. Nil if they are alike.
    public static func divergence(_ first: Trace, _ second: Trace) -> (Entry?, Entry?)? {
        let alike = zip(first.entries, second.entries).prefix { $0 == $1 }.count
        let (one, other) = (first.entries.dropFirst(alike).first, second.entries.dropFirst(alike).first)
        return one == nil && other == nil ? nil : (one, other)
    }
}

extension Trace.Entry {
    /// What happened, without numbers.
    fileprivate var shape: String { words.filter { !$0.isNumber } }
}

extension Trace.Entry: CustomStringConvertible {
    /// One line of a timeline: when, who, what.
    public var description: String {
        let time = time.description
        let name = ParticipantNames.name(peer)
        let left = String(repeating: " ", count: max(1, 12 - time.count)) + time + "  " + name
        return left + String(repeating: " ", count: max(1, 10 - name.count)) + words
    }

    /// What happened, without when and to whom.
    public var words: String {
        let about = content.map { " (content \($0))" } ?? ""
        switch kind {
        case .said(let bytes): return "says content \(content ?? -1) of \(bytes) bytes in conversation \(thread ?? -1)"
        case .published(let serial, let bytes): return "publishes #\(serial), \(bytes) bytes\(about)"
        case .rejected(let serial, let why): return "#\(serial) is refused: \(why)"
        case .lost(let serial, let to, let why): return "#\(serial) to \(ParticipantNames.name(to)) is lost: \(why)"
        case .received(let serial, let from): return "receives #\(serial) from \(ParticipantNames.name(from))"
        case .heard(let again): return again ? "hears content \(content ?? -1) again" : "hears content \(content ?? -1)"
        case .told(let what): return "is told: \(what)\(about)"
        case .crashed(let point): return "crashes \(point)"
        case .restarted: return "starts again"
        case .changed(let what): return what
        case .alarm: return "is woken"
        }
    }
}
