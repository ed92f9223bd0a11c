/// The data that participants share when a conversation begins: output of Initialization, input of Conversation.
///
/// A scheme with a key exchange fills in keys; one without fills in the secret alone, and then also
/// derives the invited side's pair from it, so that any conversation type can begin from any scheme.
public struct ConversationSeed: Sendable {
    /// The side on which a participant begins.
    public enum Side: Sendable, Hashable {
        /// Alone, as the founder of a group.
        case founding
        /// With another client's bundle; the answer is there where the first contact had one.
        case inviting(answer: Payload? = nil)
        /// By an invite, with what the inviter's conversation said first and where an answer is expected.
        case invited(opening: Payload, reply: DeliveryAddress? = nil)
    }

    /// The type of conversation to begin.
    public var type: ConversationType
    /// Our side of it.
    public var side: Side
    /// The first contact that this belongs to; nil where this client was invited or founds.
    public var contact: ContactID?
    /// 32 bytes that only the participants know; nil where the scheme has none.
    public var secret: Secret?
    /// Our first key pairs: for the one invited, the pair behind the bundle.
    public var ownKeys: [KeyPair]
    /// The others' first public keys: for the inviter, the one in the bundle.
    public var remoteKeys: [PublicKey]
    /// Our long-term public key, if the scheme has identities.
    public var ownIdentity: PublicKey?
    /// The long-term public keys that the scheme authenticated.
    public var peers: [PublicKey]
    /// The bundle from which an inviter's seed was made.
    public var bundle: IntroductionBundle?

    /// Makes a seed.
    public init(
        type: ConversationType, side: Side, contact: ContactID? = nil, secret: Secret? = nil, ownKeys: [KeyPair] = [],
        remoteKeys: [PublicKey] = [], ownIdentity: PublicKey? = nil, peers: [PublicKey] = [],
        bundle: IntroductionBundle? = nil
    ) {
        (self.type, self.side, self.contact, self.secret) = (type, side, contact, secret)
        (self.ownKeys, self.remoteKeys) = (ownKeys, remoteKeys)
        (self.ownIdentity, self.peers, self.bundle) = (ownIdentity, peers, bundle)
    }

    /// The side as one of two: who founds or invites initiates.
    public var role: Role {
        if case .invited = side { .responder } else { .initiator }
    }

    /// On the invited side, the first payload of the inviter's conversation.
    public var opening: Payload? {
        if case .invited(let opening, _) = side { opening } else { nil }
    }
}

/// Which of two sides a participant is on.
public enum Role: String, Hashable, Sendable {
    /// Saro: found a bundle and invites.
    case initiator
    /// Raya: published a bundle and is invited.
    case responder
}

/// One attempt of this client to reach the maker of a bundle; numbered by the client, never twice.
public struct ContactID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Begins at 1.
    public let number: UInt64

    /// A contact by its number.
    public init(_ number: UInt64) {
        self.number = number
    }

    /// Whether one is older than another.
    public static func < (left: ContactID, right: ContactID) -> Bool { left.number < right.number }

    /// The number in decimal.
    public var description: String { String(number) }
}
