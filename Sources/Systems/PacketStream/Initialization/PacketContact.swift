import ChatCodec
import ChatModel

/// A contact that has begun with a start, and what is stored of it.
struct PacketContact: Hashable, Sendable {
    static let prefix = "contact/", seenPrefix = "seen/", bindingKey = "binding"
    static let version: UInt8 = 1

    /// 32 hex digits that tell its answers apart.
    let nonce: String
    let address: DeliveryAddress
    let type: String
    let since: Timestamp
    /// Drawn when the other side was ready.
    var secret: [UInt8]?
    /// Not stored: the start is repeated, and so are its answers.
    var handshake = PacketHandshake()

    init(nonce: String, address: DeliveryAddress, type: String, since: Timestamp, secret: [UInt8]?) {
        (self.nonce, self.address, self.type, self.since, self.secret) = (nonce, address, type, since, secret)
    }

    /// Where answers are heard.
    var replies: DeliveryAddress { Self.replies(to: nonce) }

    static func replies(to nonce: String) -> DeliveryAddress { DeliveryAddress("packet-ready-\(nonce)") }

    /// A version, then proto3: 1 nonce, 2 address, 3 type, 4 the time it began, 5 the secret.
    var stored: Bytes {
        let secret = Bytes(secret ?? [])
        let size =
            1 + ProtoSize.field(1, nonce) + ProtoSize.field(2, address.text) + ProtoSize.field(3, type)
            + ProtoSize.field(4, since.milliseconds) + ProtoSize.field(5, count: secret.count)
        return Bytes(headRoom: 0, count: size) { output in
            output.append(Self.version)
            output.append(field: 1, nonce)
            output.append(field: 2, address.text)
            output.append(field: 3, type)
            output.append(field: 4, since.milliseconds)
            output.append(field: 5, secret)
        }
    }

    init?(_ body: Bytes) {
        var (nonce, address, type, since, secret) = ("", "", "", UInt64(0), [UInt8]())
        var reader = ProtoReader(body.span)
        do throws(WireError) {
            while let field = try reader.next() {
                switch field {
                case 1: nonce = try reader.string(limit: 32)
                case 2: address = try reader.string(limit: .max)
                case 3: type = try reader.string(limit: .max)
                case 4: since = try reader.uint64()
                case 5: secret = body.slice(try reader.range()).array
                default: continue
                }
            }
        } catch { return nil }
        guard nonce.utf8.count == 32, !address.isEmpty, [0, 32].contains(secret.count) else { return nil }
        self.init(
            nonce: nonce, address: DeliveryAddress(address), type: type, since: Timestamp(milliseconds: since),
            secret: secret.isEmpty ? nil : secret)
    }

    static func stored(count: UInt64) -> Bytes {
        Bytes(headRoom: 0, count: 1 + ProtoSize.field(1, count)) { output in
            output.append(version)
            output.append(field: 1, count)
        }
    }

    static func count(_ body: Bytes) -> UInt64? {
        var reader = ProtoReader(body.span)
        guard let field = try? reader.next(), field == 1 else { return nil }
        return try? reader.uint64()
    }
}

/// A message of a first contact: a byte that says which, then a directive, or type, secret and opening.
enum PacketFirst {
    case control(ControlMessage)
    case invite(type: String, secret: [UInt8], opening: Payload)

    private static let controlKind: UInt8 = 1, inviteKind: UInt8 = 2
    /// The longest name of a conversation type in bytes.
    private static let maximumType = 255

    init(_ payload: Payload) throws(PacketViolation) {
        guard !payload.isEmpty else { throw PacketViolation(.handshake, "is empty") }
        let body = payload.slice(1..<payload.count)
        switch payload[0] {
        case Self.controlKind:
            let message = try ControlMessage(decoding: body, as: .response)
            try message.check()
            self = .control(message)
        case Self.inviteKind:
            do throws(WireError) { self = try Self.invite(body) } catch { throw PacketViolation(error, in: "invite") }
        case let kind: throw PacketViolation(.handshake, "is of kind \(kind)")
        }
    }

    private static func invite(_ body: Bytes) throws(WireError) -> PacketFirst {
        var (type, secret, opening): (String, [UInt8], Payload) = ("", [], [])
        var reader = ProtoReader(body.span)
        while let field = try reader.next() {
            switch field {
            case 1: type = try reader.string(limit: maximumType)
            case 2: secret = body.slice(try reader.range()).array
            case 3: opening = body.slice(try reader.range())
            default: continue
            }
        }
        guard secret.count == 32 else { throw .wrongLength("secret", bytes: secret.count, expected: 32) }
        guard !type.isEmpty else { throw .missing("conversation type") }
        return .invite(type: type, secret: secret, opening: opening)
    }

    var encoded: Payload {
        switch self {
        case .control(let message):
            let body = message.encoded(as: .response)
            return Bytes(headRoom: 0, count: 1 + body.count) { output in
                output.append(Self.controlKind)
                output.append(bytes: body.span)
            }
        case .invite(let type, let secret, let opening):
            let size =
                1 + ProtoSize.field(1, type) + ProtoSize.field(2, count: secret.count)
                + ProtoSize.field(3, count: opening.count)
            return Bytes(headRoom: 0, count: size) { output in
                output.append(Self.inviteKind)
                output.append(field: 1, type)
                output.append(field: 2, Bytes(secret))
                output.append(field: 3, opening)
            }
        }
    }
}
