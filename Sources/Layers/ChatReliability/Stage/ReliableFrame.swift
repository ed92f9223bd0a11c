import ChatCodec
import ChatModel

/// The frame that is cut into segments: `PrivateV1Frame` of the PRIVATE1 document, for every reliable conversation.
struct ReliableFrame: Hashable {
    /// The oneof `frame_type`.
    enum Body: Hashable {
        /// Field 10.
        case content(Bytes)
        /// Field 11: the encoded message, whose field 1 is a counter.
        case placeholder(Bytes)
        /// None of these: from a newer version.
        case unknown
    }

    /// Field 1: milliseconds since the epoch by the sender's clock; no two frames of a sender have the same.
    let timestamp: UInt64
    /// Field 10 or 11.
    let body: Body

    init(timestamp: UInt64, _ body: Body) {
        (self.timestamp, self.body) = (timestamp, body)
    }

    init(decoding bytes: Bytes) throws(WireError) {
        var (timestamp, body) = (UInt64(0), Body.unknown)
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: timestamp = try reader.uint64()
            case 10: body = .content(bytes.slice(try reader.range()))
            case 11:
                let placeholder = bytes.slice(try reader.range())
                _ = try Placeholder(decoding: placeholder)
                body = .placeholder(placeholder)
            default: continue
            }
        }
        self.init(timestamp: timestamp, body)
    }

    /// The encoding, behind head room for the layers below.
    func encoded(headRoom: Int = 0) -> Bytes {
        let (field, bytes): (Int, Bytes?) =
            switch body {
            case .content(let bytes): (10, bytes)
            case .placeholder(let bytes): (11, bytes)
            case .unknown: (0, nil)
            }
        let size = ProtoSize.field(1, timestamp) + (bytes.map { ProtoSize.present(field, count: $0.count) } ?? 0)
        return Bytes(headRoom: headRoom, count: size) { output in
            output.append(field: 1, timestamp)
            guard let bytes else { return }
            output.append(present: field, count: bytes.count)
            output.append(bytes: bytes.span)
        }
    }
}
