import ChatConversation
import ChatCrypto
import ChatInitialization
import ChatModel

extension FuzzTarget {
    /// Every initialization: what arrives in an inbox.
    static func initializations() throws -> [FuzzTarget] {
        try [
            target { try InboxV1(identity: $0) },
            target { try InboxV1(identity: $0, profile: .libchat) },
            target { _ in OpenInvite() },
        ]
    }

    /// A refused invite changes nothing, an accepted one begins one conversation and is not accepted twice.
    private static func target(_ make: (KeyPair) throws -> any InitializationProtocol) throws -> FuzzTarget {
        var random: any RandomSource = RepeatableRandom(seed: 11)
        let identities = (0..<2).map { _ in X25519.generate(using: &random, for: .secret) }
        var (saro, raya) = (try make(identities[0]), try make(identities[1]))
        var turn = turn(seed: 12)
        let bundles = try raya.introduce(2, in: &turn)
        _ = raya.takeChanges()
        guard let place = raya.listening.first else { throw Violation(description: "an inbox without an address") }
        var openings: Set<Payload> = []
        let seeds = try bundles.enumerated().map { number, bundle in
            let invite = try invite(by: &saro, bundle, number)
            openings.insert(invite.opening)
            return invite.payload.array
        }
        let isAuthentic = raya.facts.claims.contains { $0.property == .integrity && $0.holds }
        return FuzzTarget("initialization-\(raya.facts.name)", seeds: seeds) { [raya, openings] bytes in
            let routed = Routed(place.address, place.route, payload: Bytes(bytes))
            var (inbox, turn) = (raya, FuzzTargets.turn())
            do {
                try inbox.receive(routed, in: &turn)
            } catch {
                try demand(turn.isEmpty, "a refused invite left something in the turn")
                try demand(inbox.takeChanges().isEmpty, "a refused invite changed the state")
                return false
            }
            let opening = turn.seeds.first?.opening
            try demand(turn.seeds.count == 1 && opening != nil, "an invite began \(turn.seeds.count) conversations")
            try demand(!isAuthentic || openings.contains(opening ?? []), "an opening that nobody sent")
            try demand((try? inbox.receive(routed, in: &turn)) == nil, "an invite was accepted twice")
            return true
        }
    }

    /// Saro's invite to the maker of a bundle, and the opening in it.
    private static func invite(
        by saro: inout any InitializationProtocol, _ bundle: IntroductionBundle, _ number: Int
    ) throws -> (payload: Payload, opening: Payload) {
        var turn = turn(seed: 20 + UInt64(number))
        guard let seed = try saro.begin(PrivateV1.Libchat.type.name, with: bundle, as: ContactID(1), in: &turn) else {
            throw Violation(description: "a bundle that gives no seed")
        }
        var conversation = try PrivateV1.Libchat(seed, in: &turn)
        try conversation.perform(.send(Bytes("hello \(number)")), as: ContentID(1), in: &turn)
        let opening = turn.openings.first?.payload ?? []
        try saro.invite(ContactID(1), opening: opening, for: nil, in: &turn)
        guard let payload = turn.sends.first?.routed.payload else {
            throw Violation(description: "an invite that sends nothing")
        }
        return (payload, opening)
    }
}
