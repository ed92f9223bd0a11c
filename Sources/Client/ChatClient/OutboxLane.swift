internal import ChatModel

/// The payloads of one lane that wait, oldest first, and how long they wait.
struct OutboxLane: Sendable {
    /// The wait after the first attempt in vain; doubles up to the longest.
    static let firstWait = Duration.milliseconds(250)
    /// The longest wait between two attempts, unless the service asks for more.
    static let longestWait = Duration.seconds(30)

    /// Numbers of the entries; those before `head` are gone, and of the rest the first `inFlight` are on their way.
    private var numbers: [UInt64] = []
    private var head = 0
    private(set) var inFlight = 0
    private(set) var bytes = 0
    private(set) var notBefore = Timestamp.zero
    private var failures = 0
    /// Whether the service took, or refused for good, something of the attempt under way.
    private var hasProgress = false

    /// An empty lane in memory that another one had.
    init(memory: [UInt64] = []) { numbers = memory }

    /// Its memory, without a number in it; none where it was long.
    consuming func emptied() -> [UInt64] {
        guard numbers.capacity <= 1_024 else { return [] }
        var memory = numbers
        numbers = []
        memory.removeAll(keepingCapacity: true)
        return memory
    }

    /// How many payloads there are.
    var count: Int { numbers.count - head }

    /// The number of the oldest; the last of all numbers where there is none.
    var first: UInt64 { head < numbers.count ? numbers[head] : .max }

    /// The number of the oldest that is not on its way.
    var upcoming: UInt64? { head + inFlight < numbers.count ? numbers[head + inFlight] : nil }

    mutating func append(_ entry: OutboxEntry) {
        bytes += entry.weight
        // Entries of an earlier run may come in any order.
        guard let last = numbers.last, last > entry.number else { return numbers.append(entry.number) }
        let place = numbers[head...].firstIndex { $0 > entry.number } ?? numbers.endIndex
        numbers.insert(entry.number, at: place)
    }

    /// Puts the next one on its way.
    mutating func take() { inFlight += 1 }

    /// Removes one that the service took or refused for good.
    mutating func remove(_ entry: OutboxEntry) {
        let isFirst = head < numbers.count && numbers[head] == entry.number
        guard let place = isFirst ? head : numbers[head...].firstIndex(of: entry.number) else { return }
        bytes -= entry.weight
        (hasProgress, failures) = (true, 0)
        if place < head + inFlight { inFlight -= 1 }
        guard place == head else {
            numbers.remove(at: place)
            return
        }
        head += 1
        guard head > 1_024, head > numbers.count / 2 else { return }
        numbers.removeFirst(head)
        head = 0
    }

    /// Removes one that is not on its way; whether it was one.
    mutating func withdraw(_ entry: OutboxEntry) -> Bool {
        let rest = min(head + inFlight, numbers.count)
        guard let place = numbers[rest...].firstIndex(of: entry.number) else { return false }
        numbers.remove(at: place)
        bytes -= entry.weight
        return true
    }

    /// Waits until a moment that the service named.
    mutating func retain(until pause: Timestamp) { notBefore = max(notBefore, pause) }

    /// Ends an attempt; one in vain makes the next wait longer.
    mutating func finishAttempt(at now: Timestamp) {
        defer { (inFlight, hasProgress) = (0, false) }
        guard !hasProgress, count > 0 else { return }
        failures = min(failures + 1, 8)
        notBefore = max(notBefore, now + min(Self.firstWait * (1 << (failures - 1)), Self.longestWait))
    }

    /// Tries again at once, and counts attempts anew.
    mutating func hurry() { (notBefore, failures) = (.zero, 0) }
}
