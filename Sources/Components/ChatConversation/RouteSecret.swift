import ChatCrypto
package import ChatModel

/// The secret of a route, which follows from a key that both sides have and tells nothing of it (CONVERSATION-12).
package enum RouteSecret {
    /// Bytes of a secret.
    static let size = 32

    /// Keyed BLAKE2b of the empty message under a key that both sides have, with a personalization of its own.
    package static func following(_ key: Secret) -> Secret {
        BLAKE2b.derive(count: size, key: key, personal: "L-Route-Secret")
    }
}
