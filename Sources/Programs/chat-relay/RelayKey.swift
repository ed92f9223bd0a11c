import ChatCodec
import ChatCrypto
import ChatModel
import ChatPlatform

/// Why a relay has no key, in words.
struct KeyTrouble: Error {
    let words: String
}

/// The relay's static key: 64 hexadecimal digits in a file that is its owner's alone.
enum RelayKey {
    private static let digits = 64

    /// A key that lives as long as the process.
    static func drawn() -> KeyPair {
        var random: any RandomSource = SystemRandom()
        return X25519.generate(using: &random, for: .secret)
    }

    /// The key of a file, which is made with mode 0600 if it is not there.
    static func kept(in path: String) throws(KeyTrouble) -> KeyPair {
        var (text, permissions): ([UInt8], UInt32) = ([], 0)
        defer { erase(&text) }
        do throws(ErrorNumber) {
            let descriptor = try FileCalls.open(path, .reading, followsLinks: true)
            defer { FileCalls.close(descriptor) }
            permissions = try FileCalls.status(descriptor).permissions
            text = try FileCalls.readToEnd(descriptor, limit: digits + 2) ?? []
        } catch {
            guard error == .noEntry else { throw KeyTrouble(words: "reading \(path): \(error)") }
            return try made(in: path)
        }
        return try key(text, permissions, path)
    }

    private static func key(
        _ text: [UInt8], _ permissions: UInt32, _ path: String
    ) throws(KeyTrouble) -> KeyPair {
        guard permissions & 0o077 == 0 else {
            throw KeyTrouble(words: "others may read or change \(path); run: chmod 600 \(path)")
        }
        let wrong = KeyTrouble(words: "\(path) is no key: 64 hexadecimal digits expected (openssl rand -hex 32)")
        guard text.count >= digits, text[digits...].allSatisfy({ $0 == 10 || $0 == 13 }) else { throw wrong }
        var isHex = true
        let secret = Secret(count: digits / 2) { bytes in
            for index in bytes.indices {
                guard let high = Hex.digit(text[2 * index]), let low = Hex.digit(text[2 * index + 1]) else {
                    isHex = false
                    return
                }
                bytes[index] = high << 4 | low
            }
        }
        guard isHex, let pair = try? X25519.keyPair(secret) else { throw wrong }
        return pair
    }

    private static func made(in path: String) throws(KeyTrouble) -> KeyPair {
        let key = drawn()
        let alphabet = Array("0123456789abcdef".utf8)
        var text = [UInt8](repeating: 10, count: digits + 1)
        defer { erase(&text) }
        key.secret.lend { bytes in
            for index in bytes.indices {
                text[2 * index] = alphabet[Int(bytes[index] >> 4)]
                text[2 * index + 1] = alphabet[Int(bytes[index] & 15)]
            }
        }
        do throws(ErrorNumber) {
            let descriptor = try FileCalls.open(path, .new, followsLinks: false)
            defer { FileCalls.close(descriptor) }
            guard try FileCalls.write(text.span, to: descriptor, at: 0) == text.count else { throw .noSpace }
            try FileCalls.synchronize(descriptor)
        } catch { throw KeyTrouble(words: "making \(path): \(error)") }
        return key
    }

    private static func erase(_ text: inout [UInt8]) {
        var span = text.mutableSpan
        wipe(&span)
    }
}
