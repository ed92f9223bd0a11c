package import ChatCrypto
package import ChatModel

/// The key agreement of two participants of an inbox: X3DH without a one-time prekey, where the single-use key of the
/// bundle takes the place of the signed one.
package struct KeyAgreement {
    /// The secret of the conversation: PRIVATE1's `sk`.
    package let seed: Secret
    /// Seals the invite in profile `reference`.
    let payloadKey: Secret

    /// - Parameter shares: DH1, DH2 and DH3.
    private init(_ shares: [Secret]) throws(CryptoError) {
        let shared = try HKDF.sha256.derive(Secret.joining(shares), info: "logos_chat_inbox", count: 32)
        seed = BLAKE2b.derive(count: 32, key: shared, personal: "InboxV1-Seed")
        payloadKey = BLAKE2b.derive(count: 32, key: shared, personal: "InboxV1-Enc")
    }

    /// Saro's side before his identity comes in: what seals that identity.
    package struct Initiator {
        private let second, third: Secret
        private let prekey: PublicKey

        package init(ephemeral: KeyPair, invited: PublicKey, prekey: PublicKey) throws(CryptoError) {
            for key in [invited, prekey] { try X25519.checkSpelling(of: key) }
            second = try X25519.agree(ephemeral.secret, invited)
            third = try X25519.agree(ephemeral.secret, prekey)
            self.prekey = prekey
        }

        func headerKey() throws(CryptoError) -> Secret { try KeyAgreement.headerKey(third, second) }

        package func finish(identity: KeyPair) throws(CryptoError) -> KeyAgreement {
            try KeyAgreement([X25519.agree(identity.secret, prekey), second, third])
        }
    }

    /// Raya's side before she knows who invites.
    package struct Responder {
        private let second, third: Secret
        private let prekey: KeyPair

        package init(identity: KeyPair, prekey: KeyPair, ephemeral: PublicKey) throws(CryptoError) {
            try X25519.checkSpelling(of: ephemeral)
            second = try X25519.agree(identity.secret, ephemeral)
            third = try X25519.agree(prekey.secret, ephemeral)
            self.prekey = prekey
        }

        func headerKey() throws(CryptoError) -> Secret { try KeyAgreement.headerKey(third, second) }

        package func finish(inviter: PublicKey) throws(CryptoError) -> KeyAgreement {
            try X25519.checkSpelling(of: inviter)
            return try KeyAgreement([X25519.agree(prekey.secret, inviter), second, third])
        }
    }

    private static func headerKey(_ third: Secret, _ second: Secret) throws(CryptoError) -> Secret {
        try HKDF.sha256.derive(Secret.joining([third, second]), info: "logos_chat_inbox/hdr", count: 32)
    }
}
