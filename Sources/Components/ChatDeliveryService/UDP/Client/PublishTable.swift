import ChatModel

/// Publishes that were not answered yet, oldest first.
///
/// A payload costs no lookup by hash: its place counts up with every publish, and messages of a session are numbered in
/// the order in which they were sent, so both are positions in a queue.
struct PublishTable: Sendable {
    /// A publish by its position since the client began.
    typealias HistoryPosition = UInt64

    private struct Pending: Sendable {
        let token: UInt64
        /// Nil once it was answered, although older ones were not.
        var addressed: Addressed?
        let deadline: MonotonicInstant

        var isDone: Bool { addressed == nil }
    }

    /// Deadlines come in the same order.
    private var pending = Queue<Pending>()
    /// The place of the first one in the queue.
    private var base: HistoryPosition = 0
    /// The places of messages from ``firstMessage`` on; nil for one that was no publish, or was answered.
    private var places = Queue<HistoryPosition?>()
    private var firstMessage: UInt64 = 0

    /// When the first one is overdue.
    var deadline: MonotonicInstant? { pending.isEmpty ? nil : pending[0]?.deadline }
    /// The places of those that were not answered, oldest first.
    var waiting: [HistoryPosition] {
        (0..<pending.count).filter { pending[$0]?.isDone == false }.map { base + HistoryPosition($0) }
    }

    /// Adds a publish; returns its place.
    mutating func insert(_ token: UInt64, _ addressed: Addressed, deadline: MonotonicInstant) -> HistoryPosition {
        pending.append(Pending(token: token, addressed: addressed, deadline: deadline))
        return base + HistoryPosition(pending.count - 1)
    }

    func addressed(_ place: HistoryPosition) -> Addressed? { index(place).flatMap { pending[$0]?.addressed } }

    private func index(_ place: HistoryPosition) -> Int? {
        guard place >= base, place - base < UInt64(pending.count) else { return nil }
        let index = Int(place - base)
        return pending[index]?.isDone == false ? index : nil
    }

    /// A publish was sent as a message, whose number is above those of all before it.
    mutating func sent(_ place: HistoryPosition, as message: UInt64) {
        if places.isEmpty { firstMessage = message }
        // Messages between were requests of other kinds.
        while firstMessage + UInt64(places.count) < message { places.append(nil) }
        places.append(place)
    }

    /// Takes a publish that is not to be sent; returns its token.
    mutating func remove(_ place: HistoryPosition) -> UInt64? {
        guard let index = index(place), let token = pending[index]?.token else { return nil }
        pending[index]?.addressed = nil
        forgetAnswered()
        return token
    }

    /// A message was answered; returns its publish.
    mutating func remove(message: UInt64) -> (token: UInt64, address: DeliveryAddress)? {
        guard message >= firstMessage, message - firstMessage < UInt64(places.count) else { return nil }
        let slot = Int(message - firstMessage)
        guard let known = places[slot], let place = known else { return nil }
        places[slot] = .some(nil)
        defer { forgetAnswered() }
        guard let index = index(place), let token = pending[index]?.token else { return nil }
        return pending[index]?.addressed.take().map { (token, $0.address) }
    }

    /// Takes those that are overdue; returns their tokens.
    mutating func removeDue(_ now: MonotonicInstant) -> [UInt64] {
        var due: [UInt64] = []
        while !pending.isEmpty, let first = pending[0], first.isDone || first.deadline <= now {
            if !first.isDone { due.append(first.token) }
            popFirst()
        }
        forgetAnswered()
        return due
    }

    /// The session is over, and with it the numbers of its messages.
    mutating func forgetMessages() {
        (places, firstMessage) = (Queue(), 0)
    }

    /// Takes all; returns the tokens.
    mutating func removeAll() -> [UInt64] {
        defer { self = PublishTable() }
        return (0..<pending.count).compactMap { pending[$0] }.filter { !$0.isDone }.map(\.token)
    }

    private mutating func popFirst() {
        guard pending.popFirst() != nil else { return }
        base += 1
    }

    /// Gives back what is answered at the front of both queues.
    private mutating func forgetAnswered() {
        while !pending.isEmpty, pending[0]?.isDone == true { popFirst() }
        while !places.isEmpty, let known = places[0] {
            guard known.map({ index($0) == nil }) ?? true else { return }
            places.popFirst()
            firstMessage += 1
        }
    }
}
