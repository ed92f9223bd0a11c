public import ChatModel
import CSodium

/// Authenticated encryption with associated data: a key of 32 bytes, a tag of 16, a nonce never used twice.
///
/// It works where the bytes already are: in place with the tag beside, or from one place straight
/// into another. What does not authenticate is not given out; wrong sizes are errors, since C
/// could not tell.
@safe public struct AEAD: Sendable {
    /// ChaCha20-Poly1305 of RFC 8439, with a nonce of 12 bytes.
    public static let chaChaPoly = unsafe AEAD(
        name: "ChaCha20-Poly1305", nonceSize: 12, encrypt: crypto_aead_chacha20poly1305_ietf_encrypt_detached,
        decrypt: crypto_aead_chacha20poly1305_ietf_decrypt_detached)
    /// XChaCha20-Poly1305, whose nonce of 24 bytes is long enough to be drawn for ever under one key.
    public static let xChaChaPoly = unsafe AEAD(
        name: "XChaCha20-Poly1305", nonceSize: 24, encrypt: crypto_aead_xchacha20poly1305_ietf_encrypt_detached,
        decrypt: crypto_aead_xchacha20poly1305_ietf_decrypt_detached)

    /// Bytes of a key.
    public static let keySize = 32
    /// Bytes of a tag.
    public static let tagSize = 16

    /// Its name in errors.
    public let name: String
    /// Bytes of a nonce.
    public let nonceSize: Int
    private let encrypt: Encrypt
    private let decrypt: Decrypt

    private typealias Encrypt =
        @Sendable @convention(c) (
            _ ciphertext: UnsafeMutablePointer<UInt8>, _ tag: UnsafeMutablePointer<UInt8>,
            _ tagSize: UnsafeMutablePointer<UInt64>?, _ plaintext: UnsafePointer<UInt8>?, UInt64,
            _ aad: UnsafePointer<UInt8>?, UInt64, _ unused: UnsafePointer<UInt8>?, _ nonce: UnsafePointer<UInt8>,
            _ key: UnsafePointer<UInt8>
        ) -> Int32
    private typealias Decrypt =
        @Sendable @convention(c) (
            _ plaintext: UnsafeMutablePointer<UInt8>?, _ unused: UnsafeMutablePointer<UInt8>?,
            _ ciphertext: UnsafePointer<UInt8>, UInt64, _ tag: UnsafePointer<UInt8>, _ aad: UnsafePointer<UInt8>?,
            UInt64, _ nonce: UnsafePointer<UInt8>, _ key: UnsafePointer<UInt8>
        ) -> Int32

    /// Encrypts bytes in place and writes their tag beside them.
    public func seal(
        _ bytes: inout MutableSpan<UInt8>, tag: inout MutableSpan<UInt8>, nonce: Span<UInt8>, aad: Span<UInt8>,
        key: Secret
    ) throws(CryptoError) {
        try checkSizes(tag: tag.count, nonce: nonce.count, key: key.count)
        let (count, start, tagStart) = unsafe (UInt64(bytes.count), bytes.start, tag.start)
        key.lend { key in
            _ = unsafe encrypt(
                start, tagStart, nil, start, count, aad.start, UInt64(aad.count), nil, nonce.start, key.start)
        }
    }

    /// Decrypts bytes in place, or throws ``CryptoError/authenticationFailed(_:)`` and leaves zeros.
    public func open(
        _ bytes: inout MutableSpan<UInt8>, tag: Span<UInt8>, nonce: Span<UInt8>, aad: Span<UInt8>, key: Secret
    ) throws(CryptoError) {
        try checkSizes(tag: tag.count, nonce: nonce.count, key: key.count)
        let (count, start) = unsafe (UInt64(bytes.count), bytes.start)
        let status = key.lend { key in
            unsafe decrypt(
                start, nil, start, count, tag.start, aad.start, UInt64(aad.count), nonce.start, key.start)
        }
        guard status == 0 else { throw .authenticationFailed("\(name) tag") }
    }

    /// Appends ciphertext and tag, which are 16 bytes more than the plaintext.
    public func seal(
        _ plaintext: Span<UInt8>, nonce: Span<UInt8>, aad: Span<UInt8>, key: Secret,
        into output: inout OutputSpan<UInt8>
    ) throws(CryptoError) {
        try checkSizes(tag: Self.tagSize, nonce: nonce.count, key: key.count)
        let size = plaintext.count + Self.tagSize
        try checkRoom(size, in: output.freeCapacity)
        key.lend { key in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                guard let start = unsafe buffer.baseAddress.map({ unsafe $0 + initialized }) else { return }
                _ = unsafe encrypt(
                    start, start + plaintext.count, nil, plaintext.start, UInt64(plaintext.count), aad.start,
                    UInt64(aad.count), nil, nonce.start, key.start)
                initialized += size
            }
        }
    }

    /// Appends the plaintext of a ciphertext with its tag behind, or throws and appends nothing.
    public func open(
        _ sealed: Span<UInt8>, nonce: Span<UInt8>, aad: Span<UInt8>, key: Secret, into output: inout OutputSpan<UInt8>
    ) throws(CryptoError) {
        try key.lend { key throws(CryptoError) in
            try open(sealed, nonce: nonce, aad: aad, key: key, into: &output)
        }
    }

    /// The same under a key that lies in a larger piece of secret memory.
    public func open(
        _ sealed: Span<UInt8>, nonce: Span<UInt8>, aad: Span<UInt8>, key: Span<UInt8>,
        into output: inout OutputSpan<UInt8>
    ) throws(CryptoError) {
        try checkSizes(tag: min(sealed.count, Self.tagSize), nonce: nonce.count, key: key.count)
        let count = sealed.count - Self.tagSize
        try checkRoom(count, in: output.freeCapacity)
        let status = unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
            let start = unsafe buffer.baseAddress.map { unsafe $0 + initialized } ?? Sodium.nowhere
            let status = unsafe decrypt(
                start, nil, sealed.start, UInt64(count), sealed.start + count, aad.start, UInt64(aad.count),
                nonce.start, key.start)
            if status == 0 { initialized += count }
            return status
        }
        guard status == 0 else { throw .authenticationFailed("\(name) tag") }
    }

    /// Encrypts the last bytes of what was written, where they lie, and appends their tag.
    public func seal(
        last count: Int, of output: inout OutputSpan<UInt8>, nonce: Span<UInt8>, aad: Span<UInt8>, key: Span<UInt8>
    ) throws(CryptoError) {
        try checkSizes(tag: Self.tagSize, nonce: nonce.count, key: key.count)
        try checkRoom(count, in: output.count)
        try checkRoom(Self.tagSize, in: output.freeCapacity)
        unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
            guard let end = unsafe buffer.baseAddress.map({ unsafe $0 + initialized }) else { return }
            _ = unsafe encrypt(
                end - count, end, nil, end - count, UInt64(count), aad.start, UInt64(aad.count), nil, nonce.start,
                key.start)
            initialized += Self.tagSize
        }
    }

    private func checkSizes(tag: Int, nonce: Int, key: Int) throws(CryptoError) {
        Sodium.start()
        try check("\(name) tag", tag, is: Self.tagSize)
        try check("\(name) nonce", nonce, is: nonceSize)
        try check("\(name) key", key, is: Self.keySize)
    }

    private func checkRoom(_ bytes: Int, in room: Int) throws(CryptoError) {
        guard bytes <= room else { throw .tooLong("\(name) output", bytes: bytes, limit: room) }
    }
}
