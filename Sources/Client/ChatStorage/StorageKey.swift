import ChatCodec
import ChatCrypto
public import ChatModel

/// The key of a journal: a passphrase or a key from a file.
public struct StorageKey: Sendable {
    private enum Kind: Sendable {
        case passphrase(Secret, PassphraseCost)
        case raw(Secret)
    }

    private let kind: Kind

    /// A passphrase of 1 to 1,024 bytes, which are used as they are.
    ///
    /// Trying one takes a good part of a second on purpose, and 64 MiB of memory for that time.
    public static func passphrase(_ passphrase: Secret) throws(StorageError) -> StorageKey {
        try self.passphrase(passphrase, cost: .usual)
    }

    /// A passphrase in UTF-8.
    public static func passphrase(_ text: String) throws(StorageError) -> StorageKey {
        try passphrase(Secret(copying: Array(text.utf8).span))
    }

    /// A passphrase that costs new journals something else than usual.
    package static func passphrase(_ passphrase: Secret, cost: PassphraseCost) throws(StorageError) -> StorageKey {
        guard passphrase.count > 0 else { throw .badKey("the passphrase is empty; choose another one") }
        guard passphrase.count <= 1_024 else { throw .tooLarge("passphrase", count: passphrase.count, limit: 1_024) }
        return StorageKey(kind: .passphrase(passphrase, cost))
    }

    /// A key of 32 random bytes.
    public static func key(_ key: Secret) throws(StorageError) -> StorageKey {
        guard key.count == 32 else { throw .badKey("a key has 32 bytes, not \(key.count)") }
        return StorageKey(kind: .raw(key))
    }

    /// A key from a file that only its owner may read: 32 bytes, or 64 hexadecimal digits and perhaps a line end.
    ///
    /// The path may be a symbolic link or lead to a pipe, whose writer is waited for.
    public static func keyFile(_ path: String) throws(StorageError) -> StorageKey {
        // The longest form is 64 digits and a line end of two bytes.
        let bytes = try privateFile(path, limit: 66)
        if bytes.count == 32 { return try key(bytes) }
        guard let digits = bytes.firstLine, digits.count == 64, let key = Secret(hexDigits: digits) else {
            throw .badKey("\(path) is no key: 32 bytes or 64 hexadecimal digits expected (openssl rand -hex 32)")
        }
        return try self.key(key)
    }

    /// A passphrase from the only line of a file that only its owner may read; the path as in ``keyFile(_:)``.
    public static func passphraseFile(_ path: String) throws(StorageError) -> StorageKey {
        guard let line = try privateFile(path, limit: 1_026).firstLine else {
            throw .badKey("\(path) has several lines; a passphrase is one")
        }
        return try passphrase(line)
    }

    /// Reads a file that nobody else may read or change.
    private static func privateFile(_ path: String, limit: Int) throws(StorageError) -> Secret {
        var bytes = try NamedFile.readPrivate(path, limit: limit)
        defer {
            var span = bytes.mutableSpan
            wipe(&span)
        }
        return Secret(copying: bytes.span)
    }

    /// The header of a new journal.
    func newSource(_ random: inout any RandomSource) -> KeySource {
        switch kind {
        case .passphrase(_, let cost): .passphrase(cost, salt: random.bytes(16, for: .salt))
        case .raw: .file
        }
    }

    /// The key that a journal's keys are derived from.
    func master(for source: KeySource, path: String) throws(StorageError) -> Secret {
        switch (kind, source) {
        case (.raw(let key), .file): return key
        case (.passphrase(let passphrase, _), .passphrase(let cost, let salt)):
            do {
                return try passphrase.lend { bytes throws(CryptoError) in
                    try Argon2id.derive(
                        passphrase: bytes, salt: salt.span, operations: Int(cost.operations),
                        memory: Int(cost.memory) << 10)
                }
            } catch {
                throw .badKey("the passphrase could not be tried: \(error); end other programs and try again")
            }
        case (.raw, .passphrase): throw .badKey("\(path) was made with a passphrase, not with a key file")
        case (.passphrase, .file): throw .badKey("\(path) was made with a key file, not with a passphrase")
        }
    }
}

extension Secret {
    /// The bytes without a line end behind them; nil if there are several lines.
    fileprivate var firstLine: Secret? {
        lend { bytes in
            var count = bytes.count
            if count > 0, bytes[count - 1] == 10 { count -= 1 }
            if count > 0, bytes[count - 1] == 13 { count -= 1 }
            guard !(0..<count).contains(where: { bytes[$0] == 10 }) else { return nil }
            return Secret(copying: bytes.extracting(0..<count))
        }
    }

    /// A secret from hexadecimal digits in either case; nil if there are others.
    fileprivate convenience init?(hexDigits digits: Secret) {
        var isHex = digits.count % 2 == 0
        self.init(count: digits.count / 2) { bytes in
            digits.lend { digits in
                for index in 0..<digits.count / 2 * 2 {
                    guard let value = Hex.digit(digits[index]) else {
                        isHex = false
                        return
                    }
                    bytes[index / 2] = bytes[index / 2] << 4 | value
                }
            }
        }
        guard isHex else { return nil }
    }
}
