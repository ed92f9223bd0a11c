public import ChatModel
public import ChatReliability

/// A conversation of two after PRIVATE1: segmentation, SDS and a Double Ratchet (`Specs/private-v1.md`).
///
/// Profile `reference`: what the document says, strictly. ``Libchat`` is the version that the existing libchat
/// speaks; ``Compact`` the same as this without the Bloom filter in every message.
public struct PrivateV1: ReliableConversation {
    /// Name, claims and what it lacks.
    public static let facts = Facts(
        name: "private-v1",
        summary: "Two participants, a Double Ratchet, and everything sent until it arrives, after PRIVATE1.",
        claims: ReliableConstants.claims(around: Ratchet.facts.claims))
    /// Segments of 102,400 bytes; a filter for 2,000 ids with one error in a thousand (PV1-13).
    public static let constants = ReliableConstants()

    /// Everything there is.
    public var stage: ReliableStage<Ratchet>

    /// Makes it of a stage.
    public init(_ stage: ReliableStage<Ratchet>) {
        self.stage = stage
    }

    /// Participants are called by their conversation ids, the channel by the id that both share.
    public static func names(_ seed: ConversationSeed) throws(Refusal) -> ReliableNames {
        let ids = try TwoParty.ids(seed, size: Ratchet.idSize, type: facts.name).ids
        let (own, peer) =
            seed.role == .initiator ? (ids.initiator, ids.responder) : (ids.responder, ids.initiator)
        return ReliableNames(hexOf: own, peer: peer, channel: ids.base)
    }

    /// ``PrivateV1`` without the filter, which takes 3.6 KB of every message, and with one letter for each name.
    public struct Compact: ReliableConversation {
        /// Name, claims and what it lacks.
        public static let facts = Facts(
            name: "private-v1-compact",
            summary: "As private-v1, without a Bloom filter: what arrived is told by causal histories alone.",
            claims: PrivateV1.facts.claims)
        /// As there, without a filter.
        public static let constants = ReliableConstants.compact

        /// Everything there is.
        public var stage: ReliableStage<Ratchet>

        /// Makes it of a stage.
        public init(_ stage: ReliableStage<Ratchet>) {
            self.stage = stage
        }
    }

    /// A frame that carries nothing, of every version.
    public typealias Placeholder = ChatReliability.Placeholder
}
