import ChatCodec
import ChatCrypto
import ChatModel

/// Values for files, each from the seed and a name of its own, so that a new case changes no other.
///
/// The bytes of a name are BLAKE2b-512 of `seed/name/0`, then of `seed/name/1` and so on.
struct DeterministicValues: Sendable {
    let seed: String

    func bytes(_ count: Int, _ name: String) -> [UInt8] {
        let blocks = (0..<(count + 63) / 64).map { BLAKE2b.hash(count: 64, Array("\(seed)/\(name)/\($0)".utf8)) }
        return Array(blocks.joined().prefix(count))
    }

    func hex(_ count: Int, _ name: String) -> JSON { .hex(bytes(count, name)) }

    func keyPair(_ name: String) throws -> KeyPair {
        try X25519.keyPair(Secret(copying: bytes(32, name).span))
    }
}

/// A draft: what a case is called, why it is there, its inputs, and the class of error if it is to be refused.
func draft(_ id: String, _ comment: String, _ fields: JSON, error: String? = nil) -> JSON {
    let head: JSON = ["id": .string(id), "comment": .string(comment)]
    let body = head.adding(fields)
    guard let error else { return body }
    return body.adding(["result": error == "unsupported" ? "unsupported" : "invalid", "error": .string(error)])
}

/// A step of a draft that is to be refused.
func refusedStep(_ fields: JSON, error: String) -> JSON {
    fields.adding(["result": error == "unsupported" ? "unsupported" : "invalid", "error": .string(error)])
}

/// The bytes with one bit flipped; offsets from the end are negative.
func flipped(_ bytes: [UInt8], at offset: Int, bit: UInt8 = 0) -> [UInt8] {
    var bytes = bytes
    bytes[offset < 0 ? bytes.count + offset : offset] ^= 1 << bit
    return bytes
}
