internal import ChatCodec
internal import ChatCrypto
public import ChatModel

/// Two participants, and libsodium's secretstream in each direction.
///
/// A payload is its number in eight bytes, big-endian; with the first of a direction the 24 bytes of the
/// stream's header; and the sealed content. Streams open in order, so one that comes too soon is refused
/// as early and offered again, and a service must lose nothing and keep the order.
public struct SecretStreamConversation: SimpleConversation {
    private static let version: UInt8 = 2
    private static let idSize = 16, numberSize = 8

    /// Name `secretstream`.
    public static let facts = Facts(
        name: "secretstream", summary: "Two participants and libsodium's secretstream.",
        claims: [
            Claim(.confidentiality, "STREAM-1"), Claim(.integrity, "STREAM-1"),
            Claim(.authentication, "STREAM-1", "of whoever knows the secret of the seed"),
            Claim(.forwardSecrecy, "STREAM-2", "every payload ends with a new key; the seed's secret is dropped"),
            Claim(.postCompromiseSecurity, "STREAM-2", holds: false, "no new secret ever comes in"),
            Claim(.replayProtection, "STREAM-3"), Claim(.lossDetection, "STREAM-3", "nothing arrives after a loss"),
            Claim(.unlinkability, "STREAM-4", holds: false, "one address for each conversation"),
        ],
        needs: [.ordering, .acknowledgement])

    /// A direction: its key until the header is there, then the stream, and the number of the next payload.
    private struct Direction {
        var state: Secret
        var next: UInt64 = 0
        var stream: SecretStream? { SecretStream(state: state) }
    }

    private let role: Role
    private let base: [UInt8]
    /// What framings derive identifiers from; it opens nothing.
    private let routeSecret: Secret
    private var sending: Direction
    private var receiving: Direction
    private var isChanged = true

    private init(role: Role, base: [UInt8], routeSecret: Secret, sending: Direction, receiving: Direction) {
        (self.role, self.base, self.routeSecret) = (role, base, routeSecret)
        (self.sending, self.receiving) = (sending, receiving)
    }

    /// Begins with a secret of 32 bytes; the responder reads the opening.
    public init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        guard let secret = seed.secret, secret.count == 32 else {
            throw Refusal(.unable, CommonCause.incompleteSeed("a secret of 32 bytes", type: Self.facts.name))
        }
        let directions = [Role.initiator, .responder].map { role in
            Direction(state: BLAKE2b.authenticate(count: 32, Array(role.rawValue.utf8).span, key: secret))
        }
        let base = BLAKE2b.code(count: 16, of: Array("id".utf8).span, key: secret)
        let isInitiator = seed.role == .initiator
        self.init(
            role: seed.role, base: base,
            routeSecret: BLAKE2b.authenticate(count: 32, Array("route".utf8).span, key: secret),
            sending: directions[isInitiator ? 0 : 1], receiving: directions[isInitiator ? 1 : 0])
        guard !isInitiator else { return }
        guard let opening = seed.opening else {
            throw Refusal(.unable, CommonCause.incompleteSeed("an opening", type: Self.facts.name))
        }
        try receive(opening, in: &step)
    }

    /// This side's id.
    public var id: ConversationID { ConversationID(bytes: Self.id(of: role, base)) }

    /// This side's id on the address of the conversation; payloads are counted from 1.
    public var listening: [Listening] {
        let seen = receiving.next
        let window = SequenceWindow(lowestWanted: seen + 1, highestSeen: seen == 0 ? nil : seen)
        return [Listening(address, Route(id.text, secret: routeSecret), window: window)]
    }

    /// Sends content; the first of the initiator goes into the invite.
    public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        guard case .send(let content, part: .whole, about: nil) = action else {
            throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
        }
        let isFirst = sending.next == 0
        let size = Self.numberSize + (isFirst ? SecretStream.headerSize : 0) + content.count + SecretStream.sealSize
        guard size <= step.maximumPayload else {
            throw Refusal(.unable, CommonCause.tooLarge("payload", bytes: size, limit: step.maximumPayload))
        }
        let header = isFirst ? step.random.bytes(SecretStream.headerSize, for: .nonce) : []
        let number = Self.bytes(sending.next)
        let stream = isFirst ? SecretStream(key: sending.state, header: header) : sending.stream
        guard let (next, sealed) = stream?.seal(content.array, context: number) else {
            throw Refusal(.unable, StreamCause.noStream)
        }
        let payload = Bytes(headRoom: step.headRoom, count: size) { output in
            for part in [number, header, sealed] { for byte in part { output.append(byte) } }
        }
        if isFirst, role == .initiator {
            step.open(payload, for: id)
        } else {
            let peer: Role = role == .initiator ? .responder : .initiator
            let route = Route(Hex.encode(Self.id(of: peer, base)), secret: routeSecret)
            step.send(Routed(address, route, payload: payload, sequence: sending.next + 1), for: id)
        }
        sending = Direction(state: next.state, next: sending.next + 1)
        isChanged = true
    }

    /// Opens the payload whose turn it is; what is refused changes nothing.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        try receive(routed.payload, in: &step)
    }

    private mutating func receive(_ payload: Payload, in step: inout Step) throws(Refusal) {
        let bytes = payload.array
        guard bytes.count >= Self.numberSize else {
            throw Refusal(.invalid, CommonCause.malformed("payload", at: bytes.count))
        }
        let number = bytes.prefix(Self.numberSize).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard number >= receiving.next else { throw Refusal(.invalid, StreamCause.replay(number)) }
        guard number == receiving.next else {
            throw Refusal(.early, StreamCause.early(number, expected: receiving.next))
        }
        var rest = bytes.dropFirst(Self.numberSize)
        var stream = receiving.stream
        if number == 0 {
            stream = SecretStream(key: receiving.state, header: Array(rest.prefix(SecretStream.headerSize)))
            rest = rest.dropFirst(SecretStream.headerSize)
        }
        guard let (next, content) = stream?.open(Array(rest), context: Self.bytes(number)) else {
            throw Refusal(.invalid, StreamCause.forged)
        }
        receiving = Direction(state: next.state, next: number + 1)
        isChanged = true
        step.report(.content(ReceivedContent(Bytes(content))))
    }

    /// One record, if anything changed: version, role, id, secret of the routes, then number and state of both
    /// directions.
    public mutating func takeChanges() -> [Record] {
        guard isChanged else { return [] }
        isChanged = false
        // Written once and where it stays, so that no copy of a key is left behind.
        let directions = [sending, receiving].reduce(0) { $0 + Self.numberSize + 1 + $1.state.count }
        let size = 2 + base.count + routeSecret.count + directions
        let record = Bytes(headRoom: 0, count: size) { output in
            output.append(Self.version)
            output.append(role == .initiator ? 1 : 2)
            for byte in base { output.append(byte) }
            routeSecret.lend { secret in for index in secret.indices { output.append(secret[index]) } }
            for direction in [sending, receiving] {
                for byte in Self.bytes(direction.next) { output.append(byte) }
                output.append(UInt8(direction.state.count))
                direction.state.lend { state in
                    for index in state.indices { output.append(state[index]) }
                }
            }
        }
        return [Record("stream", record)]
    }

    /// Makes the conversation again from its record.
    public init(restoring records: [Record]) throws(Refusal) {
        guard records.count == 1, records[0].key == "stream", var rest = records[0].bytes?.array[...],
            rest.popFirst() == Self.version, let role = rest.popFirst(), role == 1 || role == 2,
            rest.count > Self.idSize + 32
        else { throw Self.unreadable }
        let base = Array(rest.prefix(Self.idSize))
        rest = rest.dropFirst(Self.idSize)
        let keptSecret = rest.prefix(32)
        let routeSecret = Secret(copying: keptSecret.span)
        rest = rest.dropFirst(32)
        var directions: [Direction] = []
        for _ in 0..<2 {
            let next = rest.prefix(Self.numberSize).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(Self.numberSize)
            let size = next == 0 ? SecretStream.keySize : SecretStream.stateSize
            guard let stated = rest.popFirst(), stated == size, rest.count >= size, next < .max else {
                throw Self.unreadable
            }
            let state = rest.prefix(size)
            directions.append(Direction(state: Secret(copying: state.span), next: next))
            rest = rest.dropFirst(size)
        }
        guard rest.isEmpty else { throw Self.unreadable }
        self.init(
            role: role == 1 ? .initiator : .responder, base: base, routeSecret: routeSecret, sending: directions[0],
            receiving: directions[1])
        isChanged = false
    }

    private static var unreadable: Refusal {
        Refusal(.unsupported, CommonCause.unreadableRecord("stream", machine: facts.name))
    }

    private var address: DeliveryAddress {
        DeliveryAddress(Hex.encode(BLAKE2b.hash(count: 8, Array("stream|address|".utf8) + base)))
    }

    private static func id(of role: Role, _ base: [UInt8]) -> [UInt8] {
        BLAKE2b.hash(count: idSize, Array("stream|\(role.rawValue)|".utf8) + base)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }
}

/// What can be wrong with a payload beside its form.
enum StreamCause: RefusalCause {
    case replay(UInt64)
    case early(UInt64, expected: UInt64)
    case forged
    case noStream

    var code: String {
        switch self {
        case .replay: "replay"
        case .early: "early"
        case .forged: "authentication_failed"
        case .noStream: "no_stream"
        }
    }

    var description: String {
        switch self {
        case .replay(let number): "payload \(number) came before"
        case .early(let number, let expected): "payload \(number) came before payload \(expected)"
        case .forged: "a payload does not authenticate"
        case .noStream: "libsodium gives no stream"
        }
    }
}
