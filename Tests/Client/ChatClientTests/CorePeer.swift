import ChatClient
import ChatModel
import TestSupport

/// A core with its storage and its share of a network, driven by hand.
struct CorePeer {
    let name: String
    var types: [any ConversationProtocol]
    var limits = CoreLimits()
    let offers: Set<Capability>
    let maximumPayload: Int
    let make: @Sendable (String) -> any InitializationProtocol
    var core: ChatCore
    var stored: [String: Bytes] = [:]
    var seen: [EventBatch] = []
    var now = Timestamp(milliseconds: 1_700_000_000_000)
    /// Each run draws its own randomness, as a process does.
    private var runs: UInt64 = 0

    init(
        _ name: String, types: [any ConversationProtocol] = [ToyConversation.type],
        limits: CoreLimits = CoreLimits(), offers: Set<Capability> = [], maximumPayload: Int = 1_000,
        initialization make: @escaping @Sendable (String) -> any InitializationProtocol = { ToyInitialization($0) }
    ) throws {
        (self.name, self.types, self.limits, self.make) = (name, types, limits, make)
        (self.offers, self.maximumPayload) = (offers, maximumPayload)
        core = try Self.core(make(name), name, types, limits, offers, maximumPayload, [:], now, seed: 0)
        store()
    }

    private static func core(
        _ initialization: any InitializationProtocol, _ name: String, _ types: [any ConversationProtocol],
        _ limits: CoreLimits, _ offers: Set<Capability>, _ maximumPayload: Int, _ records: [String: Bytes],
        _ now: Timestamp, seed: UInt64
    ) throws -> ChatCore {
        try ChatCore(
            initialization, conversations: types, framing: ToyFraming(),
            delivery: DeliveryLimits(maximumPayload: maximumPayload, offers: offers),
            random: SeededRandom(UInt64(name.utf8.first ?? 0) << 32 | seed),
            limits: limits, restoring: records.map { Record($0.key, $0.value) }.sorted { $0.key < $1.key }, now: now)
    }

    /// Stores what changed and reads the events, as a client does.
    mutating func store() {
        for record in core.takeRecords() { stored[record.key] = record.bytes }
        let last = seen.lazy.map(\.number).max() ?? 0
        while let batch = core.nextBatch, batch.number == 0 || batch.number > last {
            seen.append(batch)
            core.confirm(batchesUpTo: batch.number)
        }
        for record in core.takeRecords() { stored[record.key] = record.bytes }
    }

    /// What a crash and a new start leave.
    mutating func restart() throws {
        runs += 1
        core = try Self.core(make(name), name, types, limits, offers, maximumPayload, stored, now, seed: runs)
        store()
    }

    /// Hands everything in the outbox to the service, which takes it.
    mutating func publish() -> [Addressed] {
        var all: [Addressed] = []
        while true {
            let payloads = core.takeOutbox(now: now)
            guard !payloads.isEmpty else { return all }
            core.settle(payloads, payloads.map { _ in .success(Receipt()) }, now: now)
            store()
            all += payloads.map(\.addressed)
        }
    }

    mutating func receive(_ payloads: [Addressed]) {
        core.receive(payloads.map { Delivery($0) }, now: now)
        store()
    }

    mutating func begin(with bundle: IntroductionBundle, _ type: ConversationType = "toy") throws -> ConversationID {
        defer { store() }
        return try core.begin(type, with: bundle, saying: Bytes("hello"), now: now).0
    }

    mutating func send(_ text: String, in id: ConversationID) throws {
        _ = try core.send(Bytes(text), in: id, now: now)
        store()
    }

    mutating func introduce() throws -> IntroductionBundle {
        defer { store() }
        return try core.introduce(1, now: now)[0]
    }

    /// Lets time pass to the next alarm and wakes what is due; false where nothing is.
    @discardableResult
    mutating func sleep(until limit: Timestamp? = nil) -> Bool {
        guard let next = core.nextAlarm, limit.map({ next <= $0 }) ?? true else { return false }
        now = max(now, next)
        core.wake(now: now)
        store()
        return true
    }

    var events: [ClientEvent] { seen.flatMap(\.events) }

    var contents: [String] {
        events.compactMap {
            guard case .conversation(_, .content(let received)) = $0 else { return nil }
            return String(decoding: received.content.array, as: UTF8.self)
        }
    }

    var reports: [String] {
        events.compactMap {
            switch $0 {
            case .refused(_, let report): "\(report.outcome.rawValue) \(report.code)"
            default: nil
            }
        }
    }
}
