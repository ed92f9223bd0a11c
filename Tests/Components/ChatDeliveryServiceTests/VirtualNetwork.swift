import ChatCrypto
import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

/// Runs a test over a hop in plain, and then over a sealed one.
struct BothHops: TestTrait, TestScoping {
    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await function()
        try await VirtualNetwork.$isSealed.withValue(true) { try await function() }
    }
}

extension Trait where Self == BothHops {
    /// The test runs twice: in plain and sealed.
    static var bothHops: Self { BothHops() }
}

/// A relay and clients over a network in virtual time that loses, repeats and reorders by a seed.
struct VirtualNetwork {
    struct Faults {
        var loss = 0.0
        var duplication = 0.0
        /// Each datagram takes between one and this many times the latency.
        var jitter = 1.0
    }

    private struct InFlight {
        let at: MonotonicInstant
        let bytes: [UInt8]
        let from: NetworkAddress
        let to: NetworkAddress
    }

    /// Whether the hops of networks that are made from here on are sealed.
    @TaskLocal static var isSealed = false
    /// The relay's key, which a relay that starts anew keeps.
    static let relayKey = X25519.generate(seed: 0x5EA1)
    static let relayAddress = NetworkAddress(v4: 0x0A00_0001, port: 9_220)
    var relay: RelayCore?
    var clients: [VirtualClient] = []
    var faults = Faults()
    var latency: UInt64 = 10_000
    var now = MonotonicInstant(microseconds: 1_000_000)
    private var inFlight: [InFlight] = []
    private var random: SplitMix64
    private let seed: UInt64
    /// The key of the relay, and of who names it; nil in plain.
    let key: KeyPair?
    /// Where keys are written down by relays that start from here on.
    var keyLog: HopKeyLog?
    private var relays: UInt64 = 0
    /// Datagrams that went over the network, to find what tests want to change.
    private(set) var sent = 0
    /// May change or drop a datagram on its way.
    var tamper: ((_ bytes: [UInt8], _ from: NetworkAddress, _ to: NetworkAddress) -> [UInt8]?)?

    init(seed: UInt64 = 1, limits: RelayLimits = RelayLimits()) {
        (self.seed, random) = (seed, SplitMix64(seed: seed))
        key = Self.isSealed ? Self.relayKey : nil
        startRelay(limits)
    }

    /// Starts a relay that remembers nothing of an earlier one.
    mutating func startRelay(_ limits: RelayLimits = RelayLimits()) {
        relays += 1
        relay = RelayCore(limits, key: key, keyLog: keyLog, random: SeededRandom(seed &* 1_000 &+ relays))
    }

    /// Adds a client and returns its index.
    ///
    /// - Parameter sealed: whether it speaks over a sealed hop; like the relay, if nothing is said.
    mutating func addClient(_ configuration: UDPConfiguration = UDPConfiguration(), sealed: Bool? = nil) -> Int {
        let index = clients.count
        let key = sealed ?? (key != nil) ? Self.relayKey.publicKey : nil
        clients.append(VirtualClient(index, configuration, key: key, seed: seed, now: now))
        return index
    }

    /// Lets time pass.
    mutating func run(_ seconds: Double) {
        _ = run(seconds) { _ in false }
    }

    /// Lets time pass until a condition holds; an issue if it does not within some virtual seconds.
    mutating func wait(
        _ seconds: Double = 60, at location: SourceLocation = #_sourceLocation,
        for condition: (VirtualNetwork) -> Bool
    ) {
        if !run(seconds, until: condition) {
            Issue.record("not within \(seconds) virtual seconds", sourceLocation: location)
        }
    }

    private mutating func run(_ seconds: Double, until isDone: (VirtualNetwork) -> Bool) -> Bool {
        let end = now + MicrosecondSpan(UInt64(seconds * 1_000_000))
        while true {
            flush()
            if isDone(self) { return true }
            let next = nextTime() ?? end
            guard next < end else {
                now = max(now, end)
                return false
            }
            now = max(now, next)
            deliverDue()
            if let wake = relay?.wake, wake <= now { relay?.tick(now) }
            for index in clients.indices { clients[index].tick(now) }
        }
    }

    private func nextTime() -> MonotonicInstant? {
        let times = [inFlight.map(\.at).min(), relay?.wake] + clients.map(\.core.wake)
        return times.compactMap(\.self).min()
    }

    private mutating func deliverDue() {
        let due = inFlight.filter { $0.at <= now }.sorted { $0.at < $1.at }
        inFlight.removeAll { $0.at <= now }
        for one in due {
            if one.to == Self.relayAddress {
                relay?.receive(one.bytes.span, from: one.from, now: now)
            } else if let index = clients.firstIndex(where: { $0.address == one.to }) {
                clients[index].core.receive(one.bytes.span, from: one.from, now: now)
            }
        }
    }

    private mutating func flush() {
        var batch = DatagramBatch()
        repeat {
            batch.removeAll()
            relay?.write(into: &batch, now: now)
            transmit(batch, from: Self.relayAddress)
        } while batch.isFull
        for index in clients.indices {
            repeat {
                batch.removeAll()
                clients[index].handleEvents()
                clients[index].core.write(into: &batch, now: now)
                transmit(batch, from: clients[index].address)
            } while batch.isFull
        }
    }

    private mutating func transmit(_ batch: DatagramBatch, from: NetworkAddress) {
        for index in 0..<batch.count {
            sent += 1
            var bytes = batch.datagram(index)
            if let tamper {
                guard let changed = tamper(bytes, from, batch.peer(index)) else { continue }
                bytes = changed
            }
            for copy in 0..<2 where copy == 0 || chance() < faults.duplication {
                guard chance() >= faults.loss else { continue }
                let delay = Double(latency) * (1 + (faults.jitter - 1) * chance())
                inFlight.append(
                    InFlight(at: now + MicrosecondSpan(UInt64(delay)), bytes: bytes, from: from, to: batch.peer(index)))
            }
        }
    }

    private mutating func chance() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    /// Puts a datagram on the way.
    mutating func inject(_ bytes: [UInt8], from: NetworkAddress, to: NetworkAddress) {
        inFlight.append(InFlight(at: now + MicrosecondSpan(latency), bytes: bytes, from: from, to: to))
    }
}

/// A client's core, and what its application would see.
struct VirtualClient {
    var address: NetworkAddress
    var core: ClientCore
    /// Texts that arrived, by subscription.
    var received: [Int: [String]] = [:]
    var cursors: [Int: Cursor] = [:]
    var published: [UInt64: Result<Receipt, DeliveryError>] = [:]
    var subscribed: [Int: Bool] = [:]
    var notices: [String] = []
    /// Payloads taken before the mailbox is full; nil means always room.
    var room: Int?
    private var nextToken: UInt64 = 0

    var addressV4: UInt32 { UInt32(truncatingIfNeeded: address.low) }

    /// How many publishes the relay took.
    var taken: Int { published.values.count { $0.isTaken } }

    init(
        _ index: Int, _ configuration: UDPConfiguration, key: PublicKey? = nil, seed: UInt64, now: MonotonicInstant
    ) {
        address = NetworkAddress(v4: 0x0A00_0100 + UInt32(index), port: 40_000)
        core = ClientCore(
            name: "relay", relays: [VirtualNetwork.relayAddress], key: key, configuration,
            random: SeededRandom(seed &* 7_919 &+ UInt64(index)), now: now)
    }

    mutating func tick(_ now: MonotonicInstant) {
        if let wake = core.wake, wake <= now { core.tick(now) }
    }

    /// Publishes texts; returns their tokens.
    @discardableResult mutating func publish(
        _ texts: [String], on address: DeliveryAddress = "hall", now: MonotonicInstant
    )
        -> [UInt64]
    {
        texts.map { publish(addressed($0, on: address), now: now) }
    }

    @discardableResult mutating func publish(_ addressed: Addressed, now: MonotonicInstant) -> UInt64 {
        nextToken += 1
        core.publish(addressed, token: nextToken, now: now)
        return nextToken
    }

    /// Takes a number of payloads more before the mailbox is full again.
    mutating func makeRoom(_ count: Int?) {
        room = count
        for key in subscribed.keys { core.resume(key) }
    }

    mutating func handleEvents() {
        for event in core.takeEvents() {
            switch event {
            case .published(let token, let result): published[token] = result
            case .subscribed(let key, let result): subscribed[key] = (try? result.get()) != nil
            case .delivered(let key, let delivery, let before): take(key, delivery, before)
            case .gone(let key): notices.append("gone \(key)")
            case .ended(let key): notices.append("ended \(key)")
            case .joined: notices.append("joined")
            case .turnedAway(let error): notices.append("turned away: \(error)")
            case .interrupted: notices.append("interrupted")
            case .resumed: notices.append("resumed")
            }
        }
    }

    private mutating func take(_ key: Int, _ delivery: Delivery, _ before: HistoryPosition) {
        if room == 0 { return core.stall(key, at: before) }
        room = room.map { $0 - 1 }
        received[key, default: []].append(String(decoding: delivery.addressed.payload.array, as: UTF8.self))
        cursors[key] = delivery.cursor
    }
}

/// A text of some bytes that begins with a number.
func long(_ number: Int, bytes: Int) -> String {
    let start = "\(number):"
    return start + String(repeating: "x", count: max(0, bytes - start.utf8.count))
}

extension X25519 {
    /// A key pair that is the same for the same seed.
    static func generate(seed: UInt64) -> KeyPair {
        var random: any RandomSource = SeededRandom(seed)
        return generate(using: &random, for: .handshakeEphemeralPrivate)
    }
}
