import ChatCrypto
package import ChatModel

// Everything in which the two profiles differ, apart from the sealing of the invite.
extension InboxV1.Profile {
    /// The scheme of bundles: namespace and version of an introduction link.
    static let scheme = "chatintro_1"
    /// The prefix of the bytes that a bundle's signature covers; the single-use key follows.
    static let signedPrefix = Array("logos_chatintro_1_".utf8)
    /// The longest name of a conversation type in bytes that an invite carries; as long as a route may be.
    static let maximumName = 255

    /// The longest discriminator in bytes that is read: libchat reads any.
    var nameLimit: Int { self == .reference ? Self.maximumName : .max }

    /// The name in a composition.
    var name: String { self == .reference ? "inbox-v1" : "inbox-v1-libchat" }

    /// The inbox's id, which is its route: 16 bytes as CT-02 has it (INBOX-10), or 64 and no prefix.
    func inbox(of identity: PublicKey) -> String {
        switch self {
        case .reference: hex(BLAKE2b.hash(count: 16, Array("inboxV1".utf8) + identity.bytes))
        case .libchat: hex(BLAKE2b.hash(count: 64, identity.bytes))
        }
    }

    /// Where invites are published: derived from the identity, or the one address of everybody.
    func address(of identity: PublicKey) -> DeliveryAddress {
        switch self {
        case .reference: DeliveryAddress(hex(BLAKE2b.hash(count: 8, Array("inboxV1|addr|".utf8) + identity.bytes)))
        case .libchat: "delivery_address"
        }
    }

    /// How an invite names a single-use key: four bytes of its hash (INBOX-07), or the key itself.
    package func keyName(of key: PublicKey) -> [UInt8] {
        self == .reference ? BLAKE2b.hash(count: 4, Array("WAP".utf8) + key.bytes) : key.bytes
    }

    /// Bounds on outstanding keys (INBOX-06).
    var keyLimits: KeyRing.Limits {
        switch self {
        // Two directory entries of 32 bundles, or one beside as many links; a fortnight is long enough
        // to answer a link. The memory of used keys covers 16 generations of all keys.
        case .reference: KeyRing.Limits(keys: 64, lifetime: .seconds(14 * 86_400), memory: 1_024)
        // libchat knows no end; the bound is on records, of some hundred bytes each. A used key is unknown there.
        case .libchat: KeyRing.Limits(keys: 1_024, lifetime: nil, memory: 0)
        }
    }

    /// The text that stands for a conversation type; nil for a name that cannot be written.
    func discriminator(for type: ConversationType) -> String? {
        let name = type.name
        guard !name.isEmpty, name.utf8.count <= Self.maximumName else { return nil }
        guard self == .libchat else { return name }
        return type == Self.libchatType ? Self.libchatDiscriminator : Self.otherTypes + name
    }

    /// The conversation type that a text stands for; nil where there is none.
    func type(for discriminator: String) -> ConversationType? {
        switch self {
        case .reference: discriminator.isEmpty ? nil : ConversationType(discriminator)
        case .libchat: Self.otherType(discriminator) ?? Self.libchatType
        }
    }

    private static func otherType(_ discriminator: String) -> ConversationType? {
        guard discriminator.hasPrefix(otherTypes) else { return nil }
        let name = discriminator.dropFirst(otherTypes.count)
        return 1...maximumName ~= name.utf8.count ? ConversationType(String(name)) : nil
    }

    /// The text that libchat writes for its one type. It ignores the text that it reads, so every text means that type (3.7) but those
    /// that begin with our mark for other types, which libchat does not have.
    private static let libchatDiscriminator = "default"
    private static let otherTypes = "type/"
    private static let libchatType: ConversationType = "private-v1-libchat"

    /// Name and claims.
    var facts: Facts {
        switch self {
        case .reference:
            Facts(
                name: name, summary: "Single-use keys and X3DH; the invite is sealed and sent again until answered.",
                claims: [
                    Claim(.confidentiality, "INBOX-03"), Claim(.integrity, "INBOX-03"),
                    Claim(.authentication, "INBOX-03", "mutual, by the identity keys"),
                    Claim(.senderPrivacy, "INBOX-03"),
                    Claim(.forwardSecrecy, "INBOX-03", "once the single-use key is deleted"),
                    Claim(.replayProtection, "INBOX-05"), Claim(.lossRecovery, "IBX-8"),
                    Claim(.deniability, "IBX-10", "nothing in an invite is signed"),
                    Claim(.recipientPrivacy, "ENV-05", holds: false, "who has a bundle can compute the inbox's id"),
                ])
        case .libchat:
            Facts(
                name: name, summary: "Single-use keys and X3DH, byte-compatible with libchat; invites in clear.",
                claims: [
                    Claim(.confidentiality, "INBOX-03", holds: false, "of the invite; its opening protects itself"),
                    Claim(.senderPrivacy, "INBOX-03", holds: false, "the sender's identity key is in clear"),
                    Claim(.authentication, "INBOX-03", "once the opening authenticates under the secret"),
                    Claim(.forwardSecrecy, "INBOX-03", "once the single-use key is deleted"),
                    Claim(.replayProtection, "INBOX-05"),
                    Claim(.recipientPrivacy, "ENV-05", holds: false, "the inbox's id is a hash of the identity key"),
                ])
        }
    }
}
