public import ChatModel
import CSodium

/// A key out of a passphrase that is slow and large to guess (Argon2id of RFC 9106, version 1.3, one lane).
public enum Argon2id {
    /// Bytes of a salt.
    public static let saltSize = 16
    /// Passes over the memory that libsodium takes.
    public static let operations = 1...Int(UInt32.max)
    /// Memory in bytes that libsodium takes.
    public static let memory = 8_192...(4_398_046_510_080)

    /// A key of `count` bytes from a passphrase.
    ///
    /// Throws ``CryptoError/wrongSize(_:bytes:expected:)`` for the salt,
    /// ``CryptoError/outOfRange(_:value:allowed:)`` for the costs, and
    /// ``CryptoError/outOfMemory(bytes:)`` where the system does not give the memory.
    ///
    /// - Parameters:
    ///   - passphrase: the passphrase.
    ///   - salt: the salt.
    ///   - operations: passes over the memory; 3 with 256 MiB is libsodium's moderate choice.
    ///   - memory: in bytes.
    ///   - count: bytes of the key.
    public static func derive(
        passphrase: Span<UInt8>, salt: Span<UInt8>, operations: Int, memory: Int, count: Int = 32
    ) throws(CryptoError) -> Secret {
        try check("Argon2id salt", salt.count, is: saltSize)
        try check("Argon2id operations", operations, within: Self.operations)
        try check("Argon2id memory", memory, within: Self.memory)
        try check("Argon2id output", count, within: 16...(1 << 30))
        Sodium.start()
        return try Secret(count: count) { (key: inout MutableSpan<UInt8>) throws(CryptoError) in
            let status = unsafe passphrase.start.withMemoryRebound(to: CChar.self, capacity: passphrase.count) {
                unsafe crypto_pwhash_argon2id(
                    key.start, UInt64(count), $0, UInt64(passphrase.count), salt.start, UInt64(operations), memory,
                    crypto_pwhash_argon2id_ALG_ARGON2ID13)
            }
            guard status == 0 else { throw .outOfMemory(bytes: memory) }
        }
    }
}
