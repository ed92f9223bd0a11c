import ChatModel

/// The delivery service: who listens where, what is retained, and what has been seen before.
struct SimulatedService: Sendable {
    let profile: Service
    private(set) var limits: DeliveryLimits
    var channels: [Channel] = []
    private var numbers: [DeliveryAddress: Int] = [:]
    private(set) var sequence: UInt64 = 0
    /// Payloads that came before, where the service knows repeats.
    private var seen: Set<Seen> = []
    private var epoch: VirtualTime { VirtualTime(limits.rate?.epoch ?? .seconds(1)) }

    private struct Seen: Hashable, Sendable {
        let id: PayloadID
        let channel: Int
    }

    init(_ profile: Service) {
        (self.profile, limits) = (profile, profile.limits)
    }

    /// The channel of an address, which begins to exist.
    mutating func channel(of address: DeliveryAddress) -> Int {
        if let number = numbers[address] { return number }
        numbers[address] = channels.count
        channels.append(Channel(address))
        return channels.count - 1
    }

    /// Whether the service takes a payload now, or why not.
    mutating func admit(
        _ addressed: Addressed, quota: inout (epoch: VirtualTime, used: Int), at now: VirtualTime, _ dice: inout Dice
    ) throws(DeliveryError) {
        guard addressed.payload.count <= limits.maximumPayload else {
            throw .tooLarge(bytes: addressed.payload.count, limit: limits.maximumPayload)
        }
        if let rate = limits.rate {
            if now.since(quota.epoch) >= epoch { quota = (now, 0) }
            guard quota.used < rate.payloads else {
                let wait = (quota.epoch + epoch).since(now)
                throw .rateLimited(limit: rate.payloads, retryAfter: .microseconds(Int64(wait.microseconds)))
            }
            quota.used += 1
        }
        if dice.happens(profile.rejection) { throw .overloaded("busy", retryAfter: .milliseconds(100)) }
    }

    /// Takes a payload; nil if it came before.
    mutating func take(_ addressed: Addressed, from sender: Int, at now: VirtualTime) -> (channel: Int, UInt64)? {
        let channel = channel(of: addressed.address)
        if profile.dropsRepeats {
            guard seen.insert(Seen(id: addressed.id, channel: channel)).inserted else { return nil }
        }
        sequence += 1
        if let retention = limits.retention {
            let entry = Channel.Entry(sequence: sequence, time: now, sender: Int32(sender), addressed: addressed)
            channels[channel].retain(entry, retention)
        }
        return (channel, sequence)
    }

    /// Another service takes its place: it has heard of nothing, takes less at once, and has a quota.
    ///
    /// Who listened goes on listening, as clients subscribe again at once.
    mutating func replace(maximumPayload: Int, rate: DeliveryLimits.Rate) {
        limits = DeliveryLimits(
            maximumPayload: min(maximumPayload, limits.maximumPayload), rate: rate, retention: limits.retention,
            offers: limits.offers)
        seen.removeAll()
        for index in channels.indices { channels[index].forget() }
    }

    /// Ends all subscriptions of a peer.
    mutating func forget(_ peer: Int, on numbers: [Int]) {
        for number in numbers { channels[number].subscribers.removeAll { $0 == Int32(peer) } }
    }
}
