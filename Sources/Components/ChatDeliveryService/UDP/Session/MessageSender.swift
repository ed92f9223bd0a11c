import ChatModel

/// The messages of one direction of a session on the sending side: in pieces, until every piece is acknowledged.
struct MessageSender: Sendable {
    /// Names a piece.
    struct Piece: Hashable, Sendable {
        let message: UInt64
        let index: Int
    }

    private struct Outgoing: Sendable {
        let head: [UInt8]
        let body: Bytes
        let distance: UInt32
        let order: UInt64?
        let fragments: Int
        var acknowledged = 0
        /// Which pieces; empty while there is only one.
        var marks: [Bool]

        var total: Int { head.count + body.count }
        var isDone: Bool { acknowledged == fragments }
        /// Whether a piece has not arrived.
        func wants(_ index: Int) -> Bool { !isDone && (marks.isEmpty || !marks[index]) }
    }

    /// Bytes that the receiver takes ahead of the oldest unfinished message.
    let window: Int
    private var queue = Queue<Outgoing>()
    /// The number of the first message in the queue: the oldest unfinished one.
    private(set) var base: UInt64 = 0
    /// Messages of the queue of which a piece was sent, and their bytes.
    private var started = 0
    private var startedBytes = 0
    /// The next piece of the last started message.
    private var nextIndex = 0
    private var lost = Queue<Piece>()
    private var lastOfOrder: [UInt64: UInt64] = [:]
    /// Bytes of the messages in the queue.
    private(set) var queuedBytes = 0

    init(window: Int) {
        self.window = window
    }

    /// Messages that are not finished, and finished ones behind them.
    var queued: Int { queue.count }
    /// Whether every message arrived.
    var isEmpty: Bool { queue.isEmpty }

    /// Takes a message; returns its number.
    ///
    /// - Parameter order: messages of the same order are handed on in the order in which they were sent.
    mutating func send(head: [UInt8], body: Bytes, order: UInt64?) -> UInt64 {
        let number = base + UInt64(queue.count)
        var distance: UInt32 = 0
        if let order {
            if let last = lastOfOrder[order], last >= base { distance = UInt32(clamping: number - last) }
            lastOfOrder[order] = number
        }
        let fragments = UDPFormat.fragments(of: head.count + body.count)
        queue.append(
            Outgoing(
                head: head, body: body, distance: distance, order: order, fragments: fragments,
                marks: fragments > 1 ? [Bool](repeating: false, count: fragments) : []))
        queuedBytes += head.count + body.count
        return number
    }

    /// Whether there is a piece to send, within the receiver's window.
    mutating func hasNext() -> Bool { peek() != nil }

    /// The next piece if it fits; lost ones come first.
    mutating func next(within room: Int) -> Fragment? {
        guard let piece = peek(), let fragment = fragment(piece) else { return nil }
        let size = UDPFormat.range(ofFragment: piece.index, of: fragment.total).count
        guard UDPFormat.messageHeaderSize + size <= room else { return nil }
        if !lost.isEmpty {
            lost.popFirst()
        } else {
            if nextIndex == 0 {
                started += 1
                startedBytes += fragment.total
            }
            nextIndex = nextIndex + 1 < fragment.count ? nextIndex + 1 : 0
        }
        return fragment
    }

    private mutating func peek() -> Piece? {
        while let piece = lost.first {
            if isWanted(piece) { return piece }
            lost.popFirst()
        }
        if nextIndex > 0 { return Piece(message: base + UInt64(started) - 1, index: nextIndex) }
        guard started < queue.count, let message = queue[started] else { return nil }
        let fits = startedBytes + message.total <= window && started < Int(UDPFormat.maximumAhead)
        return fits || started == 0 ? Piece(message: base + UInt64(started), index: 0) : nil
    }

    private func entry(_ message: UInt64) -> Outgoing? {
        guard message >= base, message - base < UInt64(queue.count) else { return nil }
        return queue[Int(message - base)]
    }

    private func isWanted(_ piece: Piece) -> Bool {
        guard piece.message >= base, piece.message - base < UInt64(queue.count) else { return false }
        return queue[Int(piece.message - base)]?.wants(piece.index) ?? false
    }

    private func fragment(_ piece: Piece) -> Fragment? {
        entry(piece.message).map {
            Fragment(message: piece.message, distance: $0.distance, total: $0.total, index: piece.index)
        }
    }

    /// Writes the bytes of a piece.
    func write(_ fragment: Fragment, to bytes: inout [UInt8]) {
        guard let message = entry(fragment.message) else { return }
        let range = UDPFormat.range(ofFragment: fragment.index, of: fragment.total)
        let head = message.head.count
        if range.lowerBound < head { bytes.append(contentsOf: message.head[range.clamped(to: 0..<head)]) }
        if range.upperBound > head {
            let body = max(0, range.lowerBound - head)..<range.upperBound - head
            bytes.append(message.body.span.extracting(body))
        }
    }

    /// A piece arrived.
    mutating func acknowledge(_ piece: Piece) {
        guard isWanted(piece) else { return }
        let place = Int(piece.message - base)
        if queue[place]?.marks.isEmpty == false { queue[place]?.marks[piece.index] = true }
        queue[place]?.acknowledged += 1
        guard place == 0 else { return }
        while !queue.isEmpty, queue[0]?.isDone == true { popFirst() }
    }

    private mutating func popFirst() {
        guard let message = queue.popFirst() else { return }
        if let order = message.order, lastOfOrder[order] == base { lastOfOrder[order] = nil }
        base += 1
        started -= 1
        startedBytes -= message.total
        queuedBytes -= message.total
    }

    /// A piece is to be sent again.
    mutating func lose(_ pieces: [Piece]) {
        for piece in pieces where isWanted(piece) { lost.append(piece) }
    }
}
