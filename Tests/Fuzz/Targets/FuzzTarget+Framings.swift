import ChatFraming
import ChatModel

extension FuzzTarget {
    /// Every framing: what it finds can be wrapped again, and is found again.
    static func framings() throws -> [FuzzTarget] {
        let all: [any FramingStrategy] = [
            EnvelopeV1(acceptsPlainHints: true), EnvelopeV1(.libchat), PlainFraming(), RPIV1(),
        ]
        return try all.map(target)
    }

    private static func target(_ framing: any FramingStrategy) throws -> FuzzTarget {
        let owners = ["convo-1", "60749122be857ec1aeefb0c39acd5302", "ö"].map { id in
            let secret = Secret(count: 32) { $0[0] = UInt8(id.utf8.count) }
            return (route: Route(id, secret: secret), owner: Owner.conversation(ConversationID(id)))
        }
        var client = framing
        for (route, owner) in owners { client.listen([Listening("a", route)], for: owner) }
        let seeds = try owners.enumerated().map { index, owner in
            var turn = turn()
            let routed = Routed("a", owner.route, payload: Bytes("payload \(index)"), sequence: UInt64(index))
            return try client.wrap(routed, of: .initialization, random: &turn.random).payload.array
        }
        return FuzzTarget("framing-\(framing.facts.name)", seeds: seeds) { [client] bytes in
            guard let found = try? client.unwrap(Addressed("a", payload: Bytes(bytes))) else { return false }
            guard case .payload(let routed, let owner) = found else { return false }
            try demand(owners.contains { $0.route == routed.route && $0.owner == owner }, "the owner has another route")
            var (again, turn) = (client, turn())
            let addressed = try again.wrap(routed, of: .initialization, random: &turn.random)
            try demand(try client.unwrap(addressed) == found, "what was found is not found again")
            return true
        }
    }
}
