import ChatFraming
import ChatModel
import ChatPlatform

/// Finding the machine that a payload is for among 100,000 routes; no floor.
///
/// All routes share one delivery address, as all conversations of profile `libchat` do, so a salted hint costs a hash
/// for each route until one fits: half of them on average.
enum FramingBench {
    private static let routes = 100_000
    private static let address: DeliveryAddress = "delivery_address"

    static func run(_ plan: Bench.Plan) async throws {
        guard plan.includes("framing") else { return }
        try await plan.row("framing/find-100000/rpi-v1") { effort in
            try find("framing/find-100000/rpi-v1", effort, RPIV1(), 4_096)
        }
        try await plan.row("framing/find-100000/envelope-v1") { effort in
            try find("framing/find-100000/envelope-v1", effort, EnvelopeV1(), 8)
        }
        try await plan.row("framing/listen-100000/rpi-v1") { _ in try listen("framing/listen-100000/rpi-v1") }
        try await plan.row("framing/pass/rpi-v1") { effort in try pass("framing/pass/rpi-v1", effort, RPIV1()) }
        try await plan.row("framing/pass/envelope-v1") { effort in
            try pass("framing/pass/envelope-v1", effort, EnvelopeV1())
        }
    }

    /// The same secret does for all: identifiers differ by route.
    private static let secret = Secret(count: 32) { $0[0] = 1 }

    private static func route(_ number: Int) -> Route { Route("\(number)-0123456789abcdef0123", secret: secret) }

    private static func listening(_ framing: some FramingStrategy) -> any FramingStrategy {
        var framing = framing
        for number in 0..<routes {
            let listening = Listening(address, route(number), window: SequenceWindow(lowestWanted: 1))
            framing.listen([listening], for: .conversation(ConversationID("\(number)")))
        }
        return framing
    }

    private static func find(
        _ name: String, _ effort: Effort, _ framing: some FramingStrategy, _ count: Int
    ) throws -> Row {
        let client = listening(framing)
        var (sender, random): (any FramingStrategy, any RandomSource) = (framing, RepeatableRandom(seed: 1))
        let payload = Bytes([UInt8](repeating: 1, count: 64))
        let all = try (0..<count).map { number in
            try sender.wrap(
                Routed(address, route(number * 7_919 % routes), payload: payload, sequence: 1),
                of: .conversation(ConversationID("sender")), random: &random)
        }
        var times: [Double] = []
        for _ in 0..<effort.rounds {
            let took = try time {
                for addressed in all {
                    guard case .payload = try client.unwrap(addressed) else { throw Stopped.foreign }
                }
            }
            times.append(took / .nanoseconds(count))
        }
        return Row(name: name, values: [.init("payloads/s", 1e9 / median(times)), .init("ns", median(times))])
    }

    private enum Stopped: Error { case foreign }

    /// What it takes to listen to all of them, in time and in memory.
    private static func listen(_ name: String) throws -> Row {
        let before = ThisProcess.residentMemory ?? 0
        var client: (any FramingStrategy)?
        let took = time { client = listening(RPIV1()) } / .nanoseconds(routes)
        let bytes = (ThisProcess.residentMemory ?? 0) - before
        let identifiers = (client as? RPIV1)?.identifierCount ?? 0
        return Row(
            name: name,
            values: [
                .init("ns-a-route", took), .init("bytes-a-route", Double(bytes) / Double(routes)),
                .init("identifiers-a-route", Double(identifiers) / Double(routes), digits: 1),
            ])
    }

    /// A payload of one conversation wrapped, found and accepted, in order.
    private static func pass(_ name: String, _ effort: Effort, _ framing: some FramingStrategy) throws -> Row {
        var (sender, client, random): (any FramingStrategy, any FramingStrategy, any RandomSource)
        (sender, client, random) = (framing, framing, RepeatableRandom(seed: 1))
        let owner = Owner.conversation(ConversationID("saro"))
        let route = route(1)
        client.listen([Listening(address, route, window: SequenceWindow(lowestWanted: 1))], for: owner)
        let (payload, count) = (Bytes([UInt8](repeating: 1, count: 64)), 4_096)
        var (sequence, times): (UInt64, [Double]) = (0, [])
        for _ in 0..<effort.rounds {
            let took = try time {
                for _ in 0..<count {
                    sequence += 1
                    let routed = Routed(address, route, payload: payload, sequence: sequence)
                    let addressed = try sender.wrap(routed, of: owner, random: &random)
                    guard case .payload(let found, _) = try client.unwrap(addressed) else { throw Stopped.foreign }
                    _ = client.accepted(found, for: owner)
                }
            }
            times.append(took / .nanoseconds(count))
        }
        return Row(name: name, values: [.init("payloads/s", 1e9 / median(times)), .init("ns", median(times))])
    }
}
