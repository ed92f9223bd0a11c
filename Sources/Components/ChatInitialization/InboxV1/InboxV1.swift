public import ChatCrypto
public import ChatModel

/// First contact by single-use keys and X3DH: an inbox where strangers' invites arrive (INBOX, PRIVATE1).
///
/// A client publishes bundles, each with a key that is good for one invite. Whoever has a bundle
/// agrees on a secret with it, begins a conversation and sends that conversation's first payload in
/// an invite. What is on the wire, byte for byte, is in `Specs/inbox-v1.md`.
public struct InboxV1: InitializationProtocol {
    /// Which of two ways to do it.
    public enum Profile: String, Sendable, Hashable, CaseIterable {
        /// Follows the documents: the invite is sealed, and only the recipient learns who sent it.
        case reference
        /// Byte-compatible with the existing libchat: the invite is in clear, its sender too.
        case libchat
    }

    /// The long-term key pair, which stays the same from run to run.
    public let identity: KeyPair
    /// The way of doing it.
    public let profile: Profile
    /// Where invites to us arrive; the same always (CT-05, INBOX-11).
    public let listening: [Listening]
    var keys: KeyRing
    var contacts: BegunContacts

    /// The inbox of a client; throws `CryptoError` for an identity that is no X25519 key pair.
    public init(identity: KeyPair, profile: Profile = .reference) throws(CryptoError) {
        let publicKey = try X25519.publicKey(of: identity.secret)
        self.identity = KeyPair(secret: identity.secret, publicKey: publicKey)
        self.profile = profile
        listening = [Listening(profile.address(of: publicKey), Route(profile.inbox(of: publicKey)))]
        contacts = BegunContacts(machine: profile.name)
        keys = KeyRing(limits: profile.keyLimits, machine: profile.name)
    }

    /// Name and claims of the profile.
    public var facts: Facts { profile.facts }

    /// When a key expires or is forgotten.
    public var nextWake: Timestamp? { keys.nextDue }

    /// Forgets keys whose time is over, and contacts that have ended.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        switch signal {
        case .contactEnded(let contact): contacts.end(contact)
        case .due, .started, .restored: break
        default: return
        }
        keys.sweep(step.now)
    }

}
