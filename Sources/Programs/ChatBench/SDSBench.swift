import ChatCrypto
import ChatModel
import ChatReliability

/// Receiving in a channel of 100 participants, with little history and with much of it; and sending.
enum SDSBench {
    private static let participants = 100
    private static let batch = 1_000

    static func run(_ plan: Bench.Plan) async throws {
        for (kind, filter) in [("filter", BloomFilter.Parameters.standard), ("lean", nil)] {
            for history in [100, 10_000] {
                try await plan.row("sds/receive/\(kind)/\(history)") { effort in
                    try receive("sds/receive/\(kind)/\(history)", filter, history, effort)
                }
            }
            try await plan.row("sds/send/\(kind)") { effort in try send("sds/send/\(kind)", filter, effort) }
        }
    }

    private static func settings(_ filter: BloomFilter.Parameters?) -> SDSSettings {
        var settings = SDSSettings()
        (settings.filter, settings.acknowledgesAncestors) = (filter, true)
        return settings
    }

    private static func channel(_ number: Int, _ settings: SDSSettings) -> SDSChannel {
        let name = Identifier("participant-with-a-name-of-32-\(10 + number)") ?? Identifier(hex: [0].span)
        guard let name, let zero = Identifier("0") else { preconditionFailure("names are short") }
        var channel = SDSChannel(name, channel: zero, settings: settings, now: Timestamp(milliseconds: 1))
        channel.participants = participants
        return channel
    }

    /// Messages that all participants sent in turn, each having received those before.
    private static func messages(_ count: Int, _ settings: SDSSettings) throws -> [Bytes] {
        // One channel plays all senders: only its messages matter, and they name the ones before.
        var random: any RandomSource = SystemRandom()
        var source = channel(0, settings)
        var messages: [Bytes] = []
        for number in 0..<count {
            var step = SDSStep(now: Timestamp(milliseconds: UInt64(number)))
            guard let id = Identifier(hex: random.bytes(16, for: .identifier).span) else { continue }
            try source.send(Bytes([UInt8](repeating: 7, count: 64)), id: id, in: &step)
            for broadcast in step.broadcasts {
                var message = try SDSMessage(decoding: broadcast.bytes)
                message.sender = channel(1 + number % (participants - 1), settings).participant
                messages.append(message.encoded())
            }
            // Acknowledged at once, so that the source can go on.
            var acknowledgement = SDSMessage(sender: channel(99, settings).participant, id: id, channel: source.channel)
            (acknowledgement.id, acknowledgement.lamport) = (source.channel, 1)
            acknowledgement.history = [.init(id)]
            try source.receive(acknowledgement.encoded(), in: &step)
            _ = source.takeChanges()
        }
        return messages
    }

    private static func receive(
        _ name: String, _ filter: BloomFilter.Parameters?, _ history: Int, _ effort: Effort
    ) throws -> Row {
        let settings = settings(filter)
        let all = try messages(history + batch, settings)
        var base = channel(0, settings)
        for message in all.prefix(history) {
            var step = SDSStep(now: Timestamp(milliseconds: 1))
            try base.receive(message, in: &step)
        }
        _ = base.takeChanges()
        let times = try (0..<effort.rounds).map { _ in
            var channel = base
            // A copy's first change copies the log; that is no message's doing.
            var step = SDSStep(now: Timestamp(milliseconds: 1))
            try channel.receive(all[history], in: &step)
            _ = channel.takeChanges()
            let time = try time {
                for message in all.dropFirst(history + 1) {
                    var step = SDSStep(now: Timestamp(milliseconds: 1))
                    try channel.receive(message, in: &step)
                    consume(channel.takeChanges())
                }
            }
            return time / .nanoseconds(batch - 1)
        }.sorted()
        return row(name, times)
    }

    private static func send(_ name: String, _ filter: BloomFilter.Parameters?, _ effort: Effort) throws -> Row {
        let settings = settings(filter)
        var random: any RandomSource = SystemRandom()
        let ids = (0..<batch).compactMap { _ in Identifier(hex: random.bytes(16, for: .identifier).span) }
        let content = Bytes(headRoom: 8_192, count: 64) { $0.append(repeating: 7, count: 64) }
        let times = try (0..<effort.rounds).map { _ in
            var channel = channel(0, settings)
            let time = try time {
                for id in ids {
                    var step = SDSStep(now: Timestamp(milliseconds: 1))
                    try channel.send(content, id: id, in: &step)
                    consume(channel.takeChanges())
                }
            }
            return time / .nanoseconds(batch)
        }.sorted()
        return row(name, times)
    }

    private static func row(_ name: String, _ times: [Double]) -> Row {
        Row(
            name: name,
            values: [
                .init("ns", median(times)), .init("lowest", times.first ?? 0), .init("highest", times.last ?? 0),
            ])
    }
}
