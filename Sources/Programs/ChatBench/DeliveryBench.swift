import ChatDeliveryService
import ChatModel

/// Carrying payloads: within the process, and through a relay over loopback.
///
/// There is no floor of cryptography here. Relay, publisher and subscriber of the UDP rows are threads of this one
/// process and share its cores, so the rows say what the protocol costs, not what a network gives.
enum DeliveryBench {
    private static let size = 64
    private static let address: DeliveryAddress = "0123456789abcdef0123456789abcdef"

    static func run(_ plan: Bench.Plan) async throws {
        for subscribers in [1, 8] {
            for isRetained in [true, false] {
                let name = "delivery/memory/\(subscribers)-subscribers\(isRetained ? "" : "/no-retention")"
                try await plan.row(name) { effort in
                    try await inMemory(name, effort, subscribers: subscribers, isRetained: isRetained)
                }
            }
        }
        for size in [64, 1_024, 65_536] {
            try await plan.row("delivery/udp-loopback-one-process/\(size)") { effort in
                try await stream("delivery/udp-loopback-one-process/\(size)", effort, size: size)
            }
        }
        try await plan.row("delivery/udp-loopback-one-process/latency") { effort in
            try await latency("delivery/udp-loopback-one-process/latency", effort)
        }
    }

    /// Payloads published in batches and read by every subscriber, all on one task. Processor time counts, so the
    /// rate is that of one core.
    @concurrent private static func inMemory(
        _ name: String, _ effort: Effort, subscribers: Int, isRetained: Bool
    ) async throws -> Row {
        let limits: DeliveryLimits = isRetained ? .inMemory : DeliveryLimits(maximumPayload: 1 << 20)
        let service = InMemoryDeliveryService(limits: limits)
        let mailboxes = (0..<subscribers).map { _ in Mailbox() }
        for mailbox in mailboxes { try await service.subscribe([address: .now], into: mailbox) }
        let (batch, rounds) = (64, 1_000)
        let payload = Bytes([UInt8](repeating: 1, count: size))
        var number: UInt64 = 0
        var times: [Double] = []
        for _ in 0...effort.rounds {
            let start = processorTime()
            for _ in 0..<rounds {
                let payloads = (0..<batch).map { _ in
                    number += 1
                    return Addressed(address, payload: payload, id: PayloadID(high: number, low: ~number))
                }
                _ = await service.publish(payloads)
                for mailbox in mailboxes { _ = await mailbox.next() }
            }
            times.append((processorTime() - start) / .nanoseconds(rounds * batch * subscribers))
        }
        // The first round fills memory that later ones find.
        let time = median(Array(times.dropFirst()))
        return Row(name: name, values: [.init("deliveries/s", 1e9 / time), .init("ns", time)])
    }

    /// Saro publishes through a relay as fast as it is taken, and Raya reads.
    @concurrent private static func stream(_ name: String, _ effort: Effort, size: Int) async throws -> Row {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        let saro = try await UDPDeliveryService(relay: relay.address)
        let raya = try await UDPDeliveryService(relay: relay.address)
        let mailbox = Mailbox(capacity: 16_384)
        try await raya.subscribe([address: .now], into: mailbox)
        let payload = Bytes([UInt8](repeating: 1, count: size))
        // No more than relay and mailbox keep, so that nothing is gone before it is read.
        let count = size > 4_096 ? 200 : 4_096
        var (times, costs): ([Double], [Double]) = ([], [])
        for _ in 0..<max(3, effort.rounds / 3) {
            let (start, before) = (ContinuousClock.now, processorTime())
            async let results = saro.publish((0..<count).map { _ in Addressed(address, payload: payload) })
            var received = 0
            while received < count, let batch = await mailbox.next() { received += batch.deliveries.count }
            _ = await results
            times.append((ContinuousClock.now - start) / .nanoseconds(count))
            costs.append((processorTime() - before) / .nanoseconds(count))
        }
        let time = median(times)
        return Row(
            name: name,
            values: [
                .init("payloads/s", 1e9 / time), .init("MB/s", Double(size) * 1e3 / time, digits: 1), .init("ns", time),
                .init("processor-ns", median(costs)),
            ])
    }

    /// From publishing one payload until it is read, nothing else going on.
    @concurrent private static func latency(_ name: String, _ effort: Effort) async throws -> Row {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        let saro = try await UDPDeliveryService(relay: relay.address)
        let raya = try await UDPDeliveryService(relay: relay.address)
        let mailbox = Mailbox()
        try await raya.subscribe([address: .now], into: mailbox)
        let payload = Bytes([UInt8](repeating: 1, count: size))
        var times: [Double] = []
        for _ in 0..<200 * effort.rounds {
            let start = ContinuousClock.now
            async let result = saro.publish([Addressed(address, payload: payload)])
            _ = await mailbox.next()
            times.append((ContinuousClock.now - start) / .microseconds(1))
            _ = await result
        }
        return Row(
            name: name,
            values: [.init("median-us", median(times), digits: 1), .init("lowest-us", times.min() ?? 0, digits: 1)])
    }
}
