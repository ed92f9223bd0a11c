/// What a run came to, in numbers.
public struct Tally: Sendable, Hashable {
    /// Contents that were said and stored.
    public internal(set) var contents = 0
    /// Hearings by an application.
    public internal(set) var heard = 0
    /// Contents whose sender was told that they failed.
    public internal(set) var failed = 0
    /// Contents that a client refused to take.
    public internal(set) var refusedContents = 0
    /// Payloads that were published, with those that were refused.
    public internal(set) var published = 0
    /// Payloads that the service refused.
    public internal(set) var rejected = 0
    /// Bytes of the payloads that the service took.
    public internal(set) var bytes = 0
    /// Copies of payloads that a client dealt with.
    public internal(set) var deliveries = 0
    /// Copies that were lost on the way, or because nobody was there.
    public internal(set) var lost = 0
    /// Copies that arrived twice.
    public internal(set) var duplicated = 0
    /// Copies that were held back.
    public internal(set) var heldBack = 0
    /// Copies that were changed.
    public internal(set) var corrupted = 0
    /// Payloads that clients refused, or did not know what to do with.
    public internal(set) var refusedPayloads = 0
    /// Gaps that applications were told of.
    public internal(set) var gaps = 0
    /// Times that applications were told that a service no longer has what they missed.
    public internal(set) var gone = 0
    /// Payloads that an intruder sent.
    public internal(set) var intruded = 0
    /// Contents that applications heard of participants who lie, and that nobody was asked to say.
    public internal(set) var lies = 0
    /// Processes that ended without warning.
    public internal(set) var crashes = 0
    /// Steps of clients.
    public internal(set) var steps = 0
    /// Things that happened, of all kinds.
    public internal(set) var occurrences = 0
    /// Payloads published in the second half of the time in which nobody spoke.
    public internal(set) var idlePayloads = 0
    /// That half.
    public internal(set) var idleTime = VirtualTime.zero
    /// The most payloads in an outbox.
    public internal(set) var largestOutbox = 0
    /// The most payloads kept to be offered again.
    public internal(set) var largestParked = 0
    /// The most bytes of records of one peer.
    public internal(set) var largestStore = 0
    /// When the last content was heard.
    public internal(set) var lastHeard = VirtualTime.zero
    /// The longest time until something was heard, from when it was said, everything was mended, or all knew of its
    /// conversation, whichever was latest.
    public internal(set) var healing = VirtualTime.zero
    /// The longest time after everything was mended until somebody learned of a conversation.
    public internal(set) var firstContact = VirtualTime.zero
    /// When the run ended.
    public internal(set) var end = VirtualTime.zero
    /// How long contents took from being stored to being heard.
    public internal(set) var delays = Histogram()
    /// Stands for everything that happened, in its order; the same in every run of a seed.
    public internal(set) var digest: UInt64 = 0

    /// Lets the digest depend on something that happened.
    mutating func mix(_ kind: Int, _ peer: Int, _ value: Int, at time: VirtualTime) {
        let word = time.microseconds &* 31 &+ UInt64(truncatingIfNeeded: kind &* 7 &+ peer &* 0x1_0001 &+ value)
        digest = (digest ^ word) &* 0x9E37_79B9_7F4A_7C15
        digest ^= digest >> 29
    }
}

/// How often times of a size occurred, with an error of an eighth at most.
public struct Histogram: Sendable, Hashable {
    private var counts: [UInt32] = []
    private var total = 0

    /// Notes a time.
    mutating func add(_ time: VirtualTime) {
        let bucket = Self.bucket(time.microseconds)
        while counts.count <= bucket { counts.append(0) }
        counts[bucket] += 1
        total += 1
    }

    /// A time that a share of all does not exceed.
    public func quantile(_ share: Double) -> VirtualTime {
        var left = Int((Double(total) * share).rounded(.up))
        for (bucket, count) in counts.enumerated() {
            left -= Int(count)
            if left <= 0 { return VirtualTime(microseconds: Self.top(of: bucket)) }
        }
        return .zero
    }

    /// Eight buckets for each power of two.
    private static func bucket(_ value: UInt64) -> Int {
        guard value >= 8 else { return Int(value) }
        let power = 63 - value.leadingZeroBitCount
        return 8 * (power - 2) + Int(value >> UInt64(power - 3) & 7)
    }

    private static func top(of bucket: Int) -> UInt64 {
        guard bucket >= 8 else { return UInt64(bucket) }
        let power = bucket / 8 + 2
        return (UInt64(bucket % 8) + 9) << UInt64(power - 3) - 1
    }
}
