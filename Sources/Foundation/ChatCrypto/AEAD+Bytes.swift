public import ChatModel

// One call for who has bytes and wants bytes, and need not count allocations.
extension AEAD {
    /// The ciphertext of bytes with its tag behind, which are 16 bytes more.
    ///
    /// - Parameters:
    ///   - plaintext: the bytes to seal.
    ///   - nonce: of ``nonceSize`` bytes, never used twice under one key.
    ///   - aad: authenticated beside the bytes, and not part of the result.
    ///   - key: 32 bytes.
    ///   - headRoom: bytes kept free in front of the result.
    public func seal(
        _ plaintext: Bytes, nonce: [UInt8], aad: Bytes = [], key: Secret, headRoom: Int = 0
    ) throws(CryptoError) -> Bytes {
        try Bytes(headRoom: headRoom, count: plaintext.count + Self.tagSize) {
            (output: inout OutputSpan<UInt8>) throws(CryptoError) in
            try seal(plaintext.span, nonce: nonce.span, aad: aad.span, key: key, into: &output)
        }
    }

    /// The plaintext of a ciphertext with its tag behind.
    ///
    /// Throws ``CryptoError/authenticationFailed(_:)`` where one of them was altered, also for what is no ciphertext.
    public func open(_ sealed: Bytes, nonce: [UInt8], aad: Bytes = [], key: Secret) throws(CryptoError) -> Bytes {
        guard sealed.count >= Self.tagSize else { throw .authenticationFailed("\(name) tag") }
        return try Bytes(headRoom: 0, count: sealed.count - Self.tagSize) {
            (output: inout OutputSpan<UInt8>) throws(CryptoError) in
            try open(sealed.span, nonce: nonce.span, aad: aad.span, key: key, into: &output)
        }
    }
}

// Message authentication codes that travel beside their message: bytes, since they are no secret.
extension BLAKE2b {
    /// The code of some bytes under a key.
    ///
    /// - Parameters:
    ///   - count: bytes of the code, within ``digestSizes``.
    ///   - bytes: the input.
    ///   - key: within ``keySizes``.
    public static func code(count: Int, of bytes: Span<UInt8>, key: Secret) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: count)
        var span = code.mutableSpan
        authenticate(into: &span, bytes, key: key)
        return code
    }
}
