import ChatCrypto
package import ChatModel

// The derivations one by one and the state as bytes: what test vectors show of a ratchet.
extension DoubleRatchet {
    /// KDF_RK by itself.
    package static func rootKeys(
        _ root: Secret, _ shared: Secret, _ parameters: Parameters
    ) throws(Refusal) -> (root: Secret, chain: Secret) {
        let nobody = KeyPair(secret: root, publicKey: PublicKey([]))
        let (next, chain) = try DoubleRatchet(root, nobody, parameters).rootStep(shared)
        return (next, chain.key)
    }

    /// KDF_CK by itself.
    package static func chainKeys(_ key: Secret) -> (chain: Secret, message: Secret) {
        let chain = Chain(key)
        chain.prepare()
        let message = chain.messageKey
        chain.advance()
        return (chain.key, message)
    }

    /// KDF_MK by itself; the message key again where there is no such step.
    package static func payloadKey(_ messageKey: Secret, _ parameters: Parameters) throws -> Secret {
        var key = messageKey
        try messageKey.lend { span throws(CryptoError) in
            try withPayloadKey(span, info: parameters.messageKeyInfo) { key = Secret(copying: $0) }
        }
        return key
    }

    /// The state in the byte form of the existing implementation, the keys of missing payloads sorted.
    package var transcriptState: [UInt8] {
        func bytes(_ secret: Secret) -> [UInt8] { secret.lend { Bytes(copying: $0).array } }
        func optional(_ value: [UInt8]?) -> [UInt8] { value.map { [1] + $0 } ?? [0] }
        func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        var all = [1] + bytes(root) + optional(sending.map { bytes($0.key) })
        all += optional(receiving.map { bytes($0.key) }) + bytes(own.secret) + optional(remote?.publicKey.bytes)
        let owed = skipped.all.map { $0.key.publicKey.bytes + number(Int($0.number)) + bytes($1) }
        all += number(sent) + number(received) + number(previouslySent) + number(owed.count)
        return all + owed.sorted { $0.lexicographicallyPrecedes($1) }.flatMap(\.self)
    }
}
