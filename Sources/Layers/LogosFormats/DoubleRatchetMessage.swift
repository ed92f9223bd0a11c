public import ChatCodec
public import ChatModel

/// One message of a double ratchet: `Doubleratchet` of chat_proto, `DoubleRatchet` of PRIVATE1.
///
/// Whether key and ciphertext have the sizes they must have is for the ratchet to say.
public struct DoubleRatchetMessage: ProtoMessage {
    /// Field 1, `dh`: the sender's ratchet key, 32 bytes for X25519.
    public var dh: Bytes
    /// Field 2, `msgNum`: its place in the sending chain, from 0.
    public var number: UInt32
    /// Field 3, `prevChainLen`: how many messages the chain before it had.
    public var previousChainLength: UInt32
    /// Field 4, `ciphertext`: nonce, ciphertext and tag.
    public var ciphertext: Bytes

    /// Makes a message; everything has its proto3 default. Field 5, `aux`, is never written and skipped.
    public init(dh: Bytes = [], number: UInt32 = 0, previousChainLength: UInt32 = 0, ciphertext: Bytes = []) {
        (self.dh, self.number, self.previousChainLength) = (dh, number, previousChainLength)
        self.ciphertext = ciphertext
    }

    /// Decodes a message that stands alone.
    public init(decoding bytes: Bytes) throws(WireError) {
        self.init()
        var reader = ProtoReader(bytes.span)
        try merge(&reader, of: bytes)
    }

    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1: dh = bytes.slice(try reader.range())
            case 2: number = try reader.uint32()
            case 3: previousChainLength = try reader.uint32()
            case 4: ciphertext = bytes.slice(try reader.range())
            default: continue
            }
        }
    }

    /// The size of its encoding in bytes.
    public var size: Int { headSize + ProtoSize.field(4, count: ciphertext.count) }

    private var headSize: Int {
        ProtoSize.field(1, count: dh.count) + ProtoSize.field(2, UInt64(number))
            + ProtoSize.field(3, UInt64(previousChainLength))
    }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        writeHead(to: &output)
        output.append(field: 4, ciphertext)
    }

    @_lifetime(output: copy output)
    private func writeHead(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, dh)
        output.append(field: 2, UInt64(number))
        output.append(field: 3, UInt64(previousChainLength))
    }
}

/// For senders that encrypt where the ciphertext is to lie: what stands in front of it.
extension DoubleRatchetMessage {
    /// The size of an ``EncryptedPayload`` with this message and another ciphertext, which must not be empty.
    public func payloadSize(ciphertext count: Int) -> Int {
        ProtoSize.present(2, count: headSize + ProtoSize.present(4, count: count))
    }

    /// Appends such a payload up to its ciphertext, whose bytes the caller appends next.
    @_lifetime(output: copy output)
    public func writePayload(upToCiphertext count: Int, to output: inout OutputSpan<UInt8>) {
        output.append(present: 2, count: headSize + ProtoSize.present(4, count: count))
        writeHead(to: &output)
        output.append(present: 4, count: count)
    }
}
