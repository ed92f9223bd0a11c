/// The debt of a relay to one client: answers to requests, until the client acknowledges them.
///
/// A client that goes on asking and takes no answers costs what is counted here, so the relay stops reading from it.
/// Few messages are handed to the link at once; the answers behind them wait as entries, which share messages.
struct OwedAnswers: Sendable {
    /// Bytes owed to one client before the relay stops reading its requests: four times what an honest one leaves
    /// open, whose 2,560 small requests in a full congestion window are answered within a round trip.
    static let most = 512 << 10
    /// The same for all clients of one host.
    static let mostOfHost = 8 << 20
    /// Bytes below which a client is read from though its host has reached its bound: others behind the same address
    /// do not shut it out.
    static let always = 16 << 10
    /// Messages with answers under way: more than a congestion window carries would only wait in the link.
    private static let underWay = 256
    /// The overhead of a kept entry and its message.
    private static let entryCost = 48, messageCost = 128

    private struct Sent: Sendable {
        let message: UInt64
        let cost: Int
    }

    private var waiting = Queue<Answer.Entry>()
    private var sent = Queue<Sent>()
    private var sentCost = 0

    /// The bytes owed.
    var bytes: Int { waiting.count * Self.entryCost + sentCost }

    /// Adds an answer to a request.
    mutating func append(_ entry: Answer.Entry) { waiting.append(entry) }

    /// Counts a message that answers a request in another way.
    mutating func sent(_ message: UInt64, bytes: Int) {
        sent.append(Sent(message: message, cost: bytes + Self.messageCost))
        sentCost += bytes + Self.messageCost
    }

    /// Hands answers to the link, as far as it should have them now.
    mutating func send(over link: inout Link) {
        settle(link)
        while !waiting.isEmpty, sent.count < Self.underWay {
            var entries: [Answer.Entry] = []
            entries.reserveCapacity(min(waiting.count, Answer.Entry.most))
            while entries.count < Answer.Entry.most, let entry = waiting.popFirst() { entries.append(entry) }
            let head = Answer.head(results: entries)
            sent(link.send(head: head), bytes: head.count)
        }
    }

    /// Forgets what the client has acknowledged.
    mutating func settle(_ link: Link) {
        while let first = sent.first, first.message < link.oldestUnfinished {
            sentCost -= first.cost
            sent.popFirst()
        }
    }
}
