/// Where randomness comes from: the system's generator, or a script in a test or a simulation.
///
/// Each draw is labelled with what it is for, so that a vector can name the value a step drew.
public protocol RandomSource: Sendable {
    /// Fills unpredictable bytes.
    mutating func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel)
}

/// The purpose of a random value, in the words of the test vectors.
public struct RandomLabel: RawRepresentable, Hashable, Sendable {
    /// The label's text.
    public let rawValue: String

    /// Makes a label; two components may use the same one.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The 12 bytes of an AEAD nonce.
    public static let nonce = RandomLabel(rawValue: "nonce")
    /// The private key of a Diffie–Hellman ratchet step.
    public static let ratchetPrivate = RandomLabel(rawValue: "ratchet_private")
    /// The initiator's ephemeral private key of a handshake.
    public static let handshakeEphemeralPrivate = RandomLabel(rawValue: "handshake_ephemeral_private")
    /// The single-use private key behind an introduction bundle.
    public static let introEphemeralPrivate = RandomLabel(rawValue: "intro_ephemeral_private")
    /// The 64 bytes `Z` of an XEdDSA signature on an introduction bundle.
    public static let introSignatureZ = RandomLabel(rawValue: "intro_signature_z")
    /// The salt of an envelope.
    public static let salt = RandomLabel(rawValue: "salt")
    /// An identifier that need only be unlikely to repeat.
    public static let identifier = RandomLabel(rawValue: "identifier")
    /// A secret shared by other means than a key exchange.
    public static let secret = RandomLabel(rawValue: "secret")
}

extension RandomSource {
    /// Some bytes as an array, for values that need not be wiped.
    public mutating func bytes(_ count: Int, for label: RandomLabel) -> [UInt8] {
        var array = [UInt8](repeating: 0, count: count)
        var span = array.mutableSpan
        fill(&span, for: label)
        return array
    }

    /// Some bytes as a secret, drawn in place.
    public mutating func secret(_ count: Int, for label: RandomLabel) -> Secret {
        Secret(count: count) { fill(&$0, for: label) }
    }
}
