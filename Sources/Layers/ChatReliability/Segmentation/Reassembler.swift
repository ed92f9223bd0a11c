import ChatCrypto
public import ChatModel

/// Puts payloads together from segments that come in any order, some of them twice or never (SEG-07 … SEG-10).
///
/// Everything that is kept is bounded, by sender and in all (``ReassemblyLimits``): who sends beyond it loses the
/// oldest of their own unfinished payloads first. Without authentication below, a sender is a name that anybody
/// can use.
public struct Reassembler: Sendable {
    /// The outcome of receiving a segment.
    public enum Outcome: Hashable, Sendable {
        /// It was kept; so many of those needed are here.
        case waiting(have: Int, of: Int)
        /// It was here before, or its payload is finished.
        case repeated
        /// With it, a payload is whole, and has the hash that its segments name.
        case complete(Bytes)
    }

    /// A payload that was given up, because of the limits or the time.
    public struct Abandoned: Hashable, Sendable {
        /// Whose it was.
        public let sender: String
        /// Its Keccak-256.
        public let hash: Bytes
        /// Segments that were here, of those needed.
        public let have, of: Int
    }

    struct Key: Hashable {
        let sender: String
        let hash: Bytes
        /// Data segments of a cut, where there may be several of one payload (SEG-R8); otherwise 0.
        var cut = 0
    }

    let limits: ReassemblyLimits
    var pending: [Key: PendingPayload] = [:]
    /// Payloads and bytes of each sender who has any.
    var held: [String: (payloads: Int, bytes: Int)] = [:]
    private var cost = 0
    var finished = FinishedPayloads()
    var nextSerial: UInt64 = 0
    var changes: [Record] = []
    private var abandoned: [Abandoned] = []

    /// Makes a machine that has nothing.
    public init(limits: ReassemblyLimits = ReassemblyLimits()) {
        self.limits = limits
    }

    /// How many unfinished payloads are kept, and what they cost in bytes.
    public var load: (payloads: Int, bytes: Int) { (pending.count, cost) }

    /// Takes an encoded segment of a sender; a refusal changes nothing, except that segments which together do
    /// not have their hash are all forgotten (SEG-09).
    ///
    /// - Parameters:
    ///   - bytes: the encoded segment.
    ///   - sender: the name under which limits are counted, at most 255 bytes.
    ///   - now: the current time.
    public mutating func receive(
        _ bytes: Bytes, from sender: String, now: Timestamp
    ) throws(Refusal) -> Outcome {
        let segment = try SegmentMessage(decoding: bytes)
        try Self.check(segment)
        guard sender.utf8.count <= ReassemblyLimits.maximumSender else {
            let limit = ReassemblyLimits.maximumSender
            throw Refusal(.invalid, CommonCause.tooLarge("sender", bytes: sender.utf8.count, limit: limit))
        }
        var key = Key(sender: sender, hash: Bytes(copying: segment.hash.span))
        if limits.isEachOnce {
            if takeLeft(segment, key) { return .repeated }
        } else if limits.finished > 0, finished.contains(key) {
            return .repeated
        }

        if limits.takesCutAnew { key.cut = segment.dataCount }
        if let payload = pending[key] {
            guard try !payload.has(segment) else { return .repeated }
        } else if segment.dataCount == 1, case .data = segment.place {
            guard Bytes(Keccak256.hash(segment.payload.span)) == key.hash else { throw Self.mismatch(1) }
            forgetOtherCuts(key)
            if !limits.takesCutAnew { finish(key, left: (0..<segment.parityCount).map { UInt8(1 + $0) }) }
            return .complete(segment.payload)
        }
        try makeRoom(for: segment, key)
        insert(segment, key, serial: nextSerial, now: now)
        guard let payload = pending[key] else { return .repeated }
        store(segment, key, payload.serial, now)
        guard payload.isReady else { return .waiting(have: payload.have, of: payload.dataCount) }
        switch try payload.assemble(key.hash) {
        case .whole(let whole):
            forget(key)
            forgetOtherCuts(key)
            finish(key, left: payload.indicesLeft)
            return .complete(whole)
        case .mismatch:
            forget(key)
            throw Self.mismatch(payload.count)
        case .undecided:
            pending[key]?.needsTail = true
            return .waiting(have: payload.dataCount - 1, of: payload.dataCount)
        }
    }

    /// Whether a segment is one that a finished payload of the same bytes had left.
    private mutating func takeLeft(_ segment: SegmentMessage, _ key: Key) -> Bool {
        let index =
            switch segment.place {
            case .data(let index): index
            case .parity(let index): segment.dataCount + index
            }
        guard let entry = finished.take(UInt8(clamping: index), of: key) else { return false }
        if entry.left.isEmpty {
            changes.append(Record(Self.finishedKey(entry.serial), nil))
        } else {
            store(key, finished: entry)
        }
        return true
    }

    /// Gives up payloads that got no segment for too long; returns them and those that limits pushed out since.
    public mutating func sweep(now: Timestamp) -> [Abandoned] {
        for (key, payload) in pending where payload.touched + limits.timeout <= now { abandon(key, payload) }
        defer { abandoned = [] }
        return abandoned
    }

    /// When ``sweep(now:)`` next has something to give up.
    public var nextSweep: Timestamp? {
        pending.values.lazy.map(\.touched).min().map { $0 + limits.timeout }
    }

    /// The checks that SEG-07 leaves to a receiver that knows how segments are made: SEG-R1 to SEG-R4.
    private static func check(_ segment: SegmentMessage) throws(Refusal) {
        let size = segment.payload.count
        func contradiction(_ what: String) -> Refusal {
            Refusal(.invalid, ReliabilityCause.contradictorySegment(what))
        }
        guard case .parity = segment.place else {
            guard size > 0 || segment.dataCount == 1 else { throw contradiction("an empty one of several") }
            return
        }
        guard size > 0, size % ParityCode.shardUnit == 0 else {
            throw Refusal(.invalid, ReliabilityCause.contradictorySegment("parity of \(size) bytes"))
        }
        guard size <= maximumShard else {
            throw Refusal(.invalid, CommonCause.tooLarge("parity segment", bytes: size, limit: maximumShard))
        }
        _ = try ParityCode(dataCount: segment.dataCount, parityCount: segment.parityCount)
    }

    /// The largest parity segment in bytes, what the suite's transport takes: finding the length of a recovered
    /// last segment costs a hash step for each byte of it.
    public static let maximumShard = 150 << 10

    private static func mismatch(_ count: Int) -> Refusal {
        Refusal(.invalid, ReliabilityCause.hashMismatch(segments: count))
    }

    /// Puts a segment in, which begins its payload with a serial if it is the first.
    mutating func insert(_ segment: SegmentMessage, _ key: Key, serial: UInt64, now: Timestamp) {
        if pending[key] == nil {
            pending[key] = PendingPayload(segment, serial: serial, now: now)
            held[key.sender, default: (0, 0)].payloads += 1
            nextSerial = max(nextSerial, serial + 1)
        }
        pending[key]?.insert(segment, now: now)
        held[key.sender]?.bytes += PendingPayload.cost(segment)
        cost += PendingPayload.cost(segment)
    }

    private mutating func forget(_ key: Key) {
        guard let payload = pending.removeValue(forKey: key), let load = held[key.sender] else { return }
        held[key.sender] = load.payloads == 1 ? nil : (load.payloads - 1, load.bytes - payload.cost)
        cost -= payload.cost
        unstore(payload)
    }

    private mutating func forgetOtherCuts(_ key: Key) {
        guard limits.takesCutAnew else { return }
        for other in pending.keys where other.sender == key.sender && other.hash == key.hash { forget(other) }
    }

    private mutating func finish(_ name: Key, left: [UInt8]) {
        let key = Key(sender: name.sender, hash: name.hash)
        guard limits.finished > 0, !limits.isEachOnce || !left.isEmpty else { return }
        let (entry, gone) = finished.insert(key, left: limits.isEachOnce ? left : [], limit: limits.finished)
        store(key, finished: entry)
        if let gone { changes.append(Record(Self.finishedKey(gone), nil)) }
    }

    /// Gives up older payloads until a segment fits; refuses one that fits nowhere.
    private mutating func makeRoom(for segment: SegmentMessage, _ key: Key) throws(Refusal) {
        let cost = PendingPayload.cost(segment)
        let limit = min(limits.bytesPerSender, limits.bytes)
        let alone = (pending[key]?.cost ?? 0) + cost
        guard alone <= limit, limits.payloads > 0, limits.payloadsPerSender > 0 else {
            throw Refusal(
                .unable, ReliabilityCause.noRoom("bytes of an unfinished payload", needed: alone, limit: limit))
        }
        let new = pending[key] == nil ? 1 : 0
        while let own = held[key.sender],
            own.payloads + new > limits.payloadsPerSender || own.bytes + cost > limits.bytesPerSender
        {
            guard abandonOldest(of: key.sender, except: key) else { return }
        }
        while pending.count + new > limits.payloads || load.bytes + cost > limits.bytes {
            // The heaviest first, so that a flood of one costs the others nothing.
            let others = held.filter { $0.key != key.sender || $0.value.payloads > 1 - new }
            guard let heaviest = others.max(by: { $0.value.bytes < $1.value.bytes })?.key,
                abandonOldest(of: heaviest, except: key)
            else { return }
        }
    }

    private mutating func abandonOldest(of sender: String, except kept: Key) -> Bool {
        let own = pending.filter { $0.key.sender == sender && $0.key != kept }
        guard
            let (key, payload) = own.min(by: {
                ($0.value.touched, $0.value.serial) < ($1.value.touched, $1.value.serial)
            })
        else { return false }
        abandon(key, payload)
        return true
    }

    private mutating func abandon(_ key: Key, _ payload: PendingPayload) {
        forget(key)
        // More than are kept at once need not be named.
        if abandoned.count >= limits.payloads { abandoned.removeFirst() }
        abandoned.append(
            Abandoned(sender: key.sender, hash: key.hash, have: payload.count, of: payload.dataCount))
    }
}
