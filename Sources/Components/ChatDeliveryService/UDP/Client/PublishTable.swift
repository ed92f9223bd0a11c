import ChatModel

/// Publishes that were not answered yet, oldest first.
struct PublishTable: Sendable {
    private struct Pending: Sendable {
        let addressed: Addressed
        let deadline: Moment
        var message: UInt64?
    }

    private var pending: [UInt64: Pending] = [:]
    /// Tokens in the order in which they came, some of them answered; deadlines come in the same order.
    private var order = Queue<UInt64>()
    private var byMessage: [UInt64: UInt64] = [:]

    /// When the first one is overdue.
    var deadline: Moment? { order.first.flatMap { pending[$0]?.deadline } }
    /// Those that were not answered, oldest first.
    var tokens: [UInt64] { (0..<order.count).compactMap { order[$0] }.filter { pending[$0] != nil } }

    mutating func insert(_ token: UInt64, _ addressed: Addressed, deadline: Moment) {
        pending[token] = Pending(addressed: addressed, deadline: deadline)
        order.append(token)
    }

    func addressed(_ token: UInt64) -> Addressed? { pending[token]?.addressed }

    /// A publish was sent as a message.
    mutating func sent(_ token: UInt64, as message: UInt64) {
        byMessage[message] = token
        pending[token]?.message = message
    }

    /// A message was answered; returns its publish.
    mutating func remove(message: UInt64) -> (token: UInt64, address: DeliveryAddress)? {
        guard let token = byMessage.removeValue(forKey: message) else { return nil }
        let address = pending.removeValue(forKey: token)?.addressed.address
        forgetAnswered()
        return address.map { (token, $0) }
    }

    /// Takes those that are overdue.
    mutating func removeDue(_ now: Moment) -> [UInt64] {
        var due: [UInt64] = []
        while let token = order.first, let one = pending[token], one.deadline <= now {
            pending[token] = nil
            if let message = one.message { byMessage[message] = nil }
            due.append(token)
            forgetAnswered()
        }
        return due
    }

    /// The session is over, and with it the numbers of its messages.
    mutating func forgetMessages() {
        byMessage = [:]
        for token in pending.keys { pending[token]?.message = nil }
    }

    mutating func removeAll() -> [UInt64] {
        defer { self = PublishTable() }
        return tokens
    }

    private mutating func forgetAnswered() {
        while let token = order.first, pending[token] == nil { order.popFirst() }
    }
}
