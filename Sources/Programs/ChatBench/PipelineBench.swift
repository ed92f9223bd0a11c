import ChatConversation
import ChatModel
import ChatReliability

/// The stage around the ratchet, against the bare ratchet and against the cryptography that its bytes need.
///
/// In one direction, both sides of the comparison have an answer after 16 contents, with which the ratchet turns.
enum PipelineBench {
    static func run(_ plan: Bench.Plan) async throws {
        for size in [64, 1_024] {
            try await both(PrivateV1.Compact.self, size, plan)
            try await both(PrivateV1.self, size, plan)
        }
    }

    private static func both<Conversation: ReliableConversation>(
        _ type: Conversation.Type, _ size: Int, _ plan: Bench.Plan
    ) async throws {
        for isPingPong in [false, true] {
            let name = "pipeline/\(type.facts.name)/\(isPingPong ? "ping-pong" : "one-way")/\(size)"
            try await plan.row(name + "/to-ratchet") { effort in
                var bare = try ConversationPair<PrivateV1.Ratchet>(content: size)
                var pair = try ConversationPair<Conversation>(content: size)
                return try compare(
                    name + "/to-ratchet", effort,
                    floor: { messages in
                        try? isPingPong ? bare.pingPong(messages) : bare.oneWay(messages, answering: true)
                    },
                    subject: { try isPingPong ? pair.pingPong($0) : pair.oneWay($0) })
            }
            try await plan.row(name + "/to-libsodium") { effort in
                var pair = try ConversationPair<Conversation>(content: size)
                let floor = RatchetFloor(frame: try plaintext(pair, isPingPong), hasMessageKeyStep: true)
                return try compare(
                    name + "/to-libsodium", effort, floor: isPingPong ? floor.pingPong : floor.batches,
                    subject: { try isPingPong ? pair.pingPong($0) : pair.oneWay($0) })
            }
        }
    }

    /// Bytes that are encrypted for a content, on average; acknowledgements are counted with what they acknowledge.
    private static func plaintext<Conversation>(
        _ pair: ConversationPair<Conversation>, _ isPingPong: Bool
    ) throws -> Int {
        var pair = pair
        let (before, count) = (pair.sentBytes, 320)
        if isPingPong { try pair.pingPong(count) } else { try pair.oneWay(count) }
        return (pair.sentBytes - before) / count - ratchetOverhead
    }

    /// Bytes of a payload around the plaintext: keys, numbers, nonce, tag and fields.
    private static let ratchetOverhead = 72
}
