public import ChatCodec
public import ChatModel

/// The content of an introduction link: `logoschat.intro.IntroBundle` of chat_proto (INTRO-04, INTRO-07).
///
/// Whether the signature verifies is for the initialization to say.
public struct IntroBundle: ProtoMessage {
    /// Field 1, `installation_pubkey`: the long-term X25519 key, 32 bytes.
    public let installation: PublicKey
    /// Field 2, `ephemeral_pubkey`: the single-use X25519 key, 32 bytes.
    public let ephemeral: PublicKey
    /// Field 3, `signature`: 64 bytes.
    public let signature: [UInt8]

    /// Makes a bundle of keys and a signature of the right sizes.
    public init(installation: PublicKey, ephemeral: PublicKey, signature: [UInt8]) throws(WireError) {
        try check("installation_pubkey", installation.bytes.count, 32)
        try check("ephemeral_pubkey", ephemeral.bytes.count, 32)
        try check("signature", signature.count, 64)
        (self.installation, self.ephemeral, self.signature) = (installation, ephemeral, signature)
    }

    /// Decodes a bundle; any valid encoding will do (INTRO-05), but the sizes must be right.
    public init(decoding bytes: Bytes) throws(WireError) {
        var (installation, ephemeral, signature) = (Bytes(), Bytes(), Bytes())
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: installation = bytes.slice(try reader.range())
            case 2: ephemeral = bytes.slice(try reader.range())
            case 3: signature = bytes.slice(try reader.range())
            default: continue
            }
        }
        // Sizes are checked before arrays are made, so a large field costs nothing.
        try check("installation_pubkey", installation.count, 32)
        try check("ephemeral_pubkey", ephemeral.count, 32)
        try check("signature", signature.count, 64)
        try self.init(
            installation: PublicKey(installation.array), ephemeral: PublicKey(ephemeral.array),
            signature: signature.array)
    }

    /// The size of its encoding in bytes: 134.
    public var size: Int { ProtoSize.present(1, count: 32) * 2 + ProtoSize.present(3, count: 64) }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, Bytes(installation.bytes))
        output.append(field: 2, Bytes(ephemeral.bytes))
        output.append(field: 3, Bytes(signature))
    }
}

private func check(_ what: String, _ count: Int, _ expected: Int) throws(WireError) {
    guard count == expected else { throw .wrongLength(what, bytes: count, expected: expected) }
}
