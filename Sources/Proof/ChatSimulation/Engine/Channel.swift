import ChatModel

/// One delivery address in the service: who listens, and what is retained.
struct Channel: Sendable {
    struct Entry: Sendable {
        let sequence: UInt64
        let time: VirtualTime
        let sender: Int32
        let addressed: Addressed
    }

    let address: DeliveryAddress
    var subscribers: [Int32] = []
    private var entries: [Entry] = []
    private var head = 0
    private var bytes = 0
    /// The last sequence that is not retained any more.
    private(set) var goneThrough: UInt64 = 0

    init(_ address: DeliveryAddress) {
        self.address = address
    }

    mutating func retain(_ entry: Entry, _ retention: DeliveryLimits.Retention) {
        entries.append(entry)
        bytes += entry.addressed.payload.count
        let age = VirtualTime(retention.age)
        while head < entries.count,
            entries.count - head > retention.payloads || bytes > retention.bytes
                || entry.time.since(entries[head].time) > age
        {
            bytes -= entries[head].addressed.payload.count
            goneThrough = entries[head].sequence
            head += 1
        }
        guard head > 64, head * 2 > entries.count else { return }
        entries.removeFirst(head)
        head = 0
    }

    /// Loses what is retained; whoever asks for what came before is told that it is gone.
    mutating func forget() {
        goneThrough = lastSequence
        (entries, head, bytes) = ([], 0, 0)
    }

    /// What others sent and is retained after a sequence, oldest first, at most so many.
    ///
    /// - Parameter own: whose own payloads are left out, if anybody's.
    func entries(after sequence: UInt64, atMost count: Int, without own: Int?) -> [Entry] {
        var (low, high) = (head, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
        }
        var found: [Entry] = []
        while low < entries.count, found.count < count {
            if Int(entries[low].sender) != own { found.append(entries[low]) }
            low += 1
        }
        return found
    }

    /// The last sequence that is retained.
    var lastSequence: UInt64 { entries.last?.sequence ?? goneThrough }
}

/// A place in a channel's history as its number in eight bytes.
extension Cursor {
    init(sequence: UInt64) {
        self.init(
            Bytes(headRoom: 0, count: 8) { $0.append(big: sequence) })
    }

    var sequence: UInt64 {
        bytes.span.bigEndian(0..<bytes.count)
    }
}
