internal import ChatCodec
internal import ChatCrypto
internal import ChatModel

/// The three messages of a first contact, as they are framed (NOISE-1): a byte for the kind, then parts of fixed size
/// and what is left.
enum NoiseMessage {
    case knock(ticket: [UInt8], handshake: [UInt8])
    case answer(handshake: [UInt8])
    case invite(ticket: [UInt8], knock: [UInt8], handshake: [UInt8])

    /// Bytes of the handshake's first message: a key, and the sealed id of the address for the answer.
    private static let knockSize = X25519.size + NoiseInbox.idSize + AEAD.tagSize

    init(decoding bytes: [UInt8]) throws(Refusal) {
        var rest = bytes.dropFirst()
        func take(_ count: Int) throws(Refusal) -> [UInt8] {
            guard rest.count >= count else { throw NoiseXK.malformed("message", at: bytes.count) }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        switch bytes.first {
        case 1: self = .knock(ticket: try take(NoiseInbox.idSize), handshake: Array(rest))
        case 2: self = .answer(handshake: Array(rest))
        case 3:
            self = .invite(
                ticket: try take(NoiseInbox.idSize), knock: try take(Self.knockSize), handshake: Array(rest))
        case nil: throw NoiseXK.malformed("message", at: 0)
        case let kind?: throw Refusal(.unsupported, CommonCause.unsupportedAction("message \(kind)", type: "noise-xk"))
        }
    }

    private var parts: [[UInt8]] {
        switch self {
        case .knock(let ticket, let handshake): [[1], ticket, handshake]
        case .answer(let handshake): [[2], handshake]
        case .invite(let ticket, let knock, let handshake): [[3], ticket, knock, handshake]
        }
    }

    /// The bytes, if a step takes so many.
    func payload(in step: Step) throws(Refusal) -> Payload {
        let parts = parts
        let size = parts.reduce(0) { $0 + $1.count }
        guard size <= step.maximumPayload else {
            throw Refusal(.unable, CommonCause.tooLarge("handshake", bytes: size, limit: step.maximumPayload))
        }
        return Bytes(headRoom: step.headRoom, count: size) { output in
            for part in parts { for byte in part { output.append(byte) } }
        }
    }
}

/// An address with its route, out of an id of 16 bytes: that of a client for knocks and invites, and a fresh one for
/// each answer.
struct NoiseInbox {
    static let idSize = 16
    let listening: Listening

    init(id: [UInt8]) {
        let address = DeliveryAddress(Hex.encode(BLAKE2b.hash(count: 8, Array("noise-xk|address|".utf8) + id)))
        listening = Listening(address, Route(Hex.encode(id)))
    }

    /// The inbox of who has a long-term key.
    init(of key: PublicKey) {
        self.init(id: BLAKE2b.hash(count: Self.idSize, Array("noise-xk|inbox|".utf8) + key.bytes))
    }

    var route: Route { listening.route }

    func routed(_ payload: Payload) -> Routed {
        Routed(listening.address, listening.route, payload: payload)
    }
}
