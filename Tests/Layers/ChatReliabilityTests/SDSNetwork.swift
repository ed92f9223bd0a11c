import ChatModel
import ChatReliability
import TestSupport
import Testing

/// Participants of one channel over links that lose, repeat, reorder and break, in virtual time.
struct SDSNetwork {
    struct Conditions {
        var loss = 0.0
        var repeats = 0.0
        /// Milliseconds; a message takes anything between.
        var latency = 10...200
        /// A restart from records after so many steps, on average; 0 for none.
        var restartEvery = 0
    }

    private(set) var channels: [SDSChannel] = []
    private(set) var now = Timestamp(milliseconds: 1_700_000_000_000)
    /// Contents each participant got, by id, in the order of delivery.
    private(set) var delivered: [[Identifier]] = []
    private(set) var acknowledged: [Set<Identifier>] = []
    private(set) var gaveUp: [Identifier] = []
    private(set) var lost: [Identifier] = []
    /// What each message named as its past, by id.
    private var parents: [Identifier: [Identifier]] = [:]
    private var stores: [[String: Bytes]] = []
    private var random: SplitMix64
    private var onTheWay: [(at: Timestamp, to: Int, bytes: Bytes)] = []
    private let settings: SDSSettings
    var conditions: Conditions
    /// Participants that neither send nor receive.
    var offline: Set<Int> = []
    private(set) var transmissions = 0

    init(_ count: Int, settings: SDSSettings, conditions: Conditions, seed: UInt64) throws {
        (self.settings, self.conditions, random) = (settings, conditions, SplitMix64(seed: seed))
        let name = try #require(Identifier("0"))
        for index in 0..<count {
            var channel = SDSChannel(
                try #require(Identifier("participant-\(index)")), channel: name, settings: settings,
                now: Timestamp(milliseconds: now.milliseconds + UInt64(index) * 300))
            channel.participants = count
            channels.append(channel)
        }
        delivered = Array(repeating: [], count: count)
        acknowledged = Array(repeating: [], count: count)
        stores = Array(repeating: [:], count: count)
    }

    private mutating func chance(_ probability: Double) -> Bool {
        Double(random.next() >> 11) / Double(1 << 53) < probability
    }

    mutating func send(_ index: Int, _ text: String) throws {
        var step = SDSStep(now: now)
        try channels[index].send(Bytes(text), id: #require(Identifier(text)), in: &step)
        delivered[index].append(try #require(Identifier(text)))
        take(step, from: index)
    }

    private mutating func take(_ step: SDSStep, from index: Int) {
        for broadcast in step.broadcasts {
            transmissions += 1
            if let message = try? SDSMessage(decoding: broadcast.bytes), broadcast.reason == .new {
                parents[message.id] = message.history.map(\.id)
            }
            for other in channels.indices where other != index && !offline.contains(index) {
                while !chance(conditions.loss) {
                    let wait = conditions.latency.lowerBound + random.below(conditions.latency.count)
                    onTheWay.append((now + .milliseconds(wait), other, broadcast.bytes))
                    guard chance(conditions.repeats) else { break }
                }
            }
        }
        for event in step.events {
            switch event {
            case .delivered(let delivery):
                let known = Set(delivered[index])
                if known.contains(delivery.id) { Issue.record("\(delivery.id) came twice to \(index)") }
                for parent in parents[delivery.id] ?? [] where !known.contains(parent) && !lost.contains(parent) {
                    Issue.record("\(delivery.id) came to \(index) before \(parent)")
                }
                #expect(String(decoding: delivery.content.array, as: UTF8.self) == delivery.id.text)
                if case .after(let id) = delivery.place, let id, !known.contains(id) {
                    Issue.record("\(delivery.id) belongs behind \(id), which \(index) does not have")
                }
                delivered[index].append(delivery.id)
            case .acknowledged(let id): acknowledged[index].insert(id)
            case .gaveUp(let id): gaveUp.append(id)
            case .lost(let id, _): lost.append(id)
            case .ephemeral, .missing, .possiblyAcknowledged: break
            }
        }
        for record in channels[index].takeChanges() { stores[index][record.key] = record.bytes }
        guard conditions.restartEvery > 0, random.below(conditions.restartEvery) == 0 else { return }
        restart(index)
    }

    mutating func restart(_ index: Int) {
        let records = stores[index].map { Record($0, $1) }.shuffled(using: &random)
        do {
            var channel = try SDSChannel(restoring: records, settings: settings)
            channel.participants = channels.count
            #expect(channel.order.map(\.id) == channels[index].order.map(\.id))
            #expect(channel.unacknowledged == channels[index].unacknowledged)
            #expect(channel.waiting == channels[index].waiting)
            channels[index] = channel
            var step = SDSStep(now: now)
            channels[index].hurry(in: &step)
            let restarts = conditions.restartEvery
            conditions.restartEvery = 0
            take(step, from: index)
            conditions.restartEvery = restarts
        } catch {
            Issue.record("\(index) cannot be restored: \(error)")
        }
    }

    /// Lets time pass: everything that arrives or is due until then happens.
    mutating func run(for time: Duration) {
        let end = now + time
        while true {
            let arrival = onTheWay.indices.min { onTheWay[$0].at < onTheWay[$1].at }
            let wake = channels.indices.compactMap { index in channels[index].nextWake.map { (max($0, now), index) } }
                .min { $0.0 < $1.0 }
            if let arrival, onTheWay[arrival].at <= min(wake?.0 ?? end, end) {
                let message = onTheWay.remove(at: arrival)
                now = max(now, message.at)
                guard !offline.contains(message.to) else { continue }
                var step = SDSStep(now: now)
                do throws(Refusal) { try channels[message.to].receive(message.bytes, in: &step) } catch {
                    if error.outcome == .invalid { Issue.record("refused: \(error)") }
                }
                take(step, from: message.to)
            } else if let wake, wake.0 <= end {
                now = max(now + .milliseconds(1), wake.0)
                var step = SDSStep(now: now)
                channels[wake.1].wake(in: &step)
                take(step, from: wake.1)
            } else {
                now = end
                return
            }
        }
    }

    mutating func comeBack(_ index: Int) {
        offline.remove(index)
        var step = SDSStep(now: now)
        channels[index].hurry(in: &step)
        take(step, from: index)
    }

    /// Expects that all have everything, in one order, and that all senders know.
    func expectComplete(_ comment: Comment, isAcknowledged: Bool = true) {
        let order = channels[0].order.map(\.id)
        for (index, channel) in channels.enumerated() {
            let own = channel.order.map(\.id)
            if own != order {
                Issue.record("\(comment): \(index) has \(own.count) instead of \(order.count), or in another order")
            }
            if Set(delivered[index]) != Set(own) || delivered[index].count != own.count {
                Issue.record("\(comment): \(index) was given \(delivered[index].count) of \(own.count)")
            }
            let (waiting, missing) = (channel.waiting.count, channel.missing.count)
            if waiting + missing > 0 { Issue.record("\(comment): \(index) has \(waiting) waiting, \(missing) missing") }
            let open = channel.unacknowledged.count
            if open > 0, isAcknowledged { Issue.record("\(comment): \(index) has \(open) unacknowledged") }
        }
        #expect(gaveUp.isEmpty && lost.isEmpty, comment)
    }
}
