import ChatConversation
import ChatModel
import ChatReliability

extension FuzzTarget {
    /// The types of this package.
    static let conversationTypes: [any ConversationProtocol] = [
        PrivateV1.type, PrivateV1.Compact.type, PrivateV1.Ratchet.type, PrivateV1.Libchat.type, PlainConversation.type,
        Reliable<PlainConversation>.type,
    ]

    /// What a participant of each type receives, and what begins it.
    static func conversations() throws -> [FuzzTarget] {
        try conversationTypes.map(target)
    }

    /// A refused payload changes nothing, and nobody makes content that the other side did not send.
    ///
    /// An input's first byte says to whom it goes: 0 to Raya, 1 to Saro, otherwise to somebody new as an opening.
    private static func target(_ type: any ConversationProtocol) throws -> FuzzTarget {
        let pair = try Pair(type)
        let isAuthentic = type.facts.claims.contains { $0.property == .integrity && $0.holds }
        return FuzzTarget("conversation-\(type.facts.name)", seeds: pair.seeds) { bytes in
            guard let recipient = bytes.first else { return false }
            let payload = Bytes(bytes).slice(1..<bytes.count)
            if recipient > 1 { return try pair.begin(with: payload, isAuthentic: isAuthentic) }
            var (machine, turn) = (recipient == 0 ? pair.raya : pair.saro, turn())
            do {
                try machine.receive(Routed(pair.address, Route("any"), payload: payload), in: &turn)
                if isAuthentic { try pair.check(turn.events) }
                return true
            } catch let violation as Violation {
                throw violation
            } catch {
                try demand(turn.isEmpty, "a refused payload left something in the turn")
                try demand(machine.takeChanges().isEmpty, "a refused payload changed the state")
                return false
            }
        }
    }
}
