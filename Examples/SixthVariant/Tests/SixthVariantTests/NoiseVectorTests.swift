import ChatCrypto
import ChatModel
import Foundation
import Testing

@testable import SixthVariant

/// The public vectors of the Noise Protocol Framework, of the projects cacophony and snow: `CHAT_VECTORS`, or
/// `../shared/vectors` beside the repository.
private struct NoiseVectors {
    struct Vector: Decodable {
        struct Message: Decodable {
            let payload: String
            let ciphertext: String
        }

        let protocol_name: String
        let init_prologue: String
        let init_static: String?
        let init_ephemeral: String
        let init_remote_static: String?
        let resp_static: String?
        let resp_ephemeral: String?
        let handshake_hash: String?
        let messages: [Message]
    }

    private struct File: Decodable {
        let vectors: [Vector]
    }

    static let hashes: [NoiseHash] = [.blake2b, .blake2s, .sha256, .sha512]

    /// The vectors for pattern XK with our curve and cipher; nil where the file is not there.
    static func load(_ name: String) throws -> [Vector]? {
        let root = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let folder =
            ProcessInfo.processInfo.environment["CHAT_VECTORS"].map { URL(fileURLWithPath: $0) }
            ?? root.deletingLastPathComponent().appending(path: "shared/vectors")
        guard let data = try? Data(contentsOf: folder.appending(path: "noise/\(name)")) else { return nil }
        return try JSONDecoder().decode(File.self, from: data).vectors.filter {
            $0.protocol_name.hasPrefix("Noise_XK_25519_ChaChaPoly_")
        }
    }
}

private func bytes(_ hex: String) throws -> [UInt8] {
    let digits = Array(hex.utf8)
    return try stride(from: 0, to: digits.count, by: 2).map { index in
        let pair = String(decoding: digits[index..<min(index + 2, digits.count)], as: UTF8.self)
        return try #require(UInt8(pair, radix: 16))
    }
}

private func pair(_ hex: String?) throws -> KeyPair {
    let secret = try bytes(try #require(hex))
    return try X25519.keyPair(Secret(copying: secret.span))
}

@Test(arguments: ["cacophony.json", "snow.json"])
func `a handshake says byte for byte what the public vectors say (NOISE-2)`(file: String) throws {
    guard let vectors = try NoiseVectors.load(file) else {
        print("vectors: noise/\(file) is not there; skipped, 0 cases (set CHAT_VECTORS to run them)")
        return
    }
    #expect(vectors.count == 2)
    for vector in vectors {
        let hash = try #require(NoiseVectors.hashes.first { vector.protocol_name.hasSuffix("_\($0.name)") })
        let prologue = try bytes(vector.init_prologue)
        let remote = PublicKey(try bytes(try #require(vector.init_remote_static)))
        var saro = NoiseHandshake(
            .initiator, ownStatic: try pair(vector.init_static), remoteStatic: remote, prologue: prologue, hash: hash)
        var raya = NoiseHandshake(
            .responder, ownStatic: try pair(vector.resp_static), prologue: prologue, hash: hash)
        for (number, message) in vector.messages.prefix(3).enumerated() {
            let (payload, expected) = (try bytes(message.payload), try bytes(message.ciphertext))
            let (written, read): ([UInt8], [UInt8])
            if number % 2 == 0 {
                written = try saro.write(payload, ephemeral: number == 0 ? pair(vector.init_ephemeral) : nil)
                read = try raya.read(written)
            } else {
                written = try raya.write(payload, ephemeral: pair(vector.resp_ephemeral))
                read = try saro.read(written)
            }
            #expect(written == expected && read == payload, "\(vector.protocol_name), message \(number)")
        }
        #expect(saro.isFinished && raya.isFinished && saro.hash == raya.hash)
        if let hash = try vector.handshake_hash.map(bytes) { #expect(saro.hash == hash) }
        let keys = saro.split()
        #expect(keys == raya.split())
        for (number, message) in vector.messages.dropFirst(3).enumerated() {
            // Transport messages go on in turns, the first of them from the responder.
            let key = number % 2 == 0 ? keys.fromResponder : keys.fromInitiator
            let nonce = [0, 0, 0, 0, UInt8(number / 2), 0, 0, 0, 0, 0, 0, 0]
            let sealed = try AEAD.chaChaPoly.seal(Bytes(bytes(message.payload)), nonce: nonce, key: key)
            let expected = try bytes(message.ciphertext)
            #expect(sealed.array == expected, "\(vector.protocol_name), transport \(number)")
        }
    }
    print("vectors: noise/\(file): \(vectors.count) cases")
}

@Test func `a message of a handshake that is refused leaves it as it was (NOISE-2)`() throws {
    var random: any RandomSource = RepeatableRandom(seed: 7)
    func key() -> KeyPair { X25519.generate(using: &random, for: .secret) }
    let (sarosKey, rayasKey) = (key(), key())
    var saro = NoiseHandshake(
        .initiator, ownStatic: sarosKey, remoteStatic: rayasKey.publicKey, prologue: Array("here".utf8))
    var raya = NoiseHandshake(.responder, ownStatic: rayasKey, prologue: Array("here".utf8))
    #expect(throws: NoiseError.outOfTurn) { try saro.read([]) }
    #expect(throws: NoiseError.outOfTurn) { try raya.write([], ephemeral: rayasKey) }
    var isSaros = true
    for text in ["one", "two", "three"] {
        let message =
            isSaros
            ? try saro.write(Array(text.utf8), ephemeral: key()) : try raya.write(Array(text.utf8), ephemeral: key())
        for index in message.indices {
            var bad = message
            bad[index] ^= 1
            if isSaros {
                #expect(throws: NoiseError.self) { try raya.read(bad) }
                #expect(throws: NoiseError.self) { try raya.read(Array(message.prefix(index))) }
            } else {
                #expect(throws: NoiseError.self) { try saro.read(bad) }
                #expect(throws: NoiseError.self) { try saro.read(Array(message.prefix(index))) }
            }
        }
        let payload = isSaros ? try raya.read(message) : try saro.read(message)
        #expect(payload == Array(text.utf8))
        isSaros.toggle()
    }
    #expect(saro.hash == raya.hash && raya.remoteStatic == sarosKey.publicKey)
    #expect(throws: NoiseError.outOfTurn) { try saro.write([]) }
}
