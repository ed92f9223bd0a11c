import ChatClient
import ChatModel

// The smallest honest implementation of each of the five, as somebody from outside would write it.

/// Discovery: a text is `toy:` and the bundle's bytes in decimal.
struct ToyDiscovery: DiscoveryProtocol {
    let facts = Facts(name: "toy-discovery", summary: "bundles as decimal text")

    func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        bundles.map { "toy:" + $0.bytes.array.map(String.init).joined(separator: ".") }
    }

    func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        guard text.hasPrefix("toy:") else { throw .malformed("a text begins with toy:", at: 0) }
        let bytes = text.dropFirst(4).split(separator: ".").compactMap { UInt8($0) }
        let bundle = IntroductionBundle(scheme: "toy", bytes: Bytes(bytes), isSingleUse: true)
        return Introductions([Introduction(name: text, bundles: [bundle])])
    }
}

/// Initialization: a bundle is a number that is good once; an invite is the number, the type's name and the opening.
struct ToyInitialization: InitializationProtocol {
    enum Cause: String, RefusalCause {
        case used, malformed
        var code: String { rawValue }
        var description: String { rawValue }
    }

    let name: String
    var open: Set<UInt8> = []
    private var next: UInt8 = 0
    private var begun: [ContactID: [UInt8]] = [:]
    private var recorded: Set<ContactID> = []

    init(_ name: String) {
        self.name = name
    }

    let facts = Facts(name: "toy-initialization", summary: "numbers that are good once")
    var listening: [Listening] { [Listening("inbox", Route(name))] }

    mutating func restore(_ records: [Record]) throws(Refusal) {
        for record in records {
            guard let bytes = record.bytes?.array, let first = bytes.first else {
                throw Refusal(.unsupported, CommonCause.unreadableRecord(record.key, machine: facts.name))
            }
            guard let number = UInt64(record.key) else {
                (next, open) = (first, Set(bytes.dropFirst()))
                continue
            }
            begun[ContactID(number)] = bytes
            recorded.insert(ContactID(number))
        }
    }

    mutating func takeChanges() -> [Record] {
        let gone = recorded.subtracting(begun.keys).sorted().map { Record("\($0)", nil) }
        recorded = Set(begun.keys)
        return gone + begun.sorted { $0.key < $1.key }.map { Record("\($0.key)", Bytes($0.value)) }
            + [Record("open", Bytes([next] + open.sorted()))]
    }

    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        (0..<count).map { _ in
            next += 1
            open.insert(next)
            return IntroductionBundle(scheme: "toy", bytes: Bytes([next] + Array(name.utf8)), isSingleUse: true)
        }
    }

    mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        let bytes = bundle.bytes.array
        guard bundle.scheme == "toy", bytes.count > 1 else {
            throw Refusal(.unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: facts.name))
        }
        begun[contact] = [UInt8(type.name.utf8.count)] + Array(type.name.utf8) + bytes
        return ConversationSeed(type: type, side: .inviting(), contact: contact, bundle: bundle)
    }

    mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let kept = begun.removeValue(forKey: contact) else { throw Refusal(.unable, Cause.used) }
        let (name, bundle) = (kept[..<(1 + Int(kept[0]))], kept.dropFirst(1 + Int(kept[0])))
        let inbox = Route(String(decoding: bundle.dropFirst(), as: UTF8.self))
        step.send(Routed("inbox", inbox, payload: Bytes(Array(bundle.prefix(1) + name + opening.array))), for: content)
    }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        if case .contactEnded(let contact) = signal { begun[contact] = nil }
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let bytes = routed.payload.array
        guard bytes.count >= 2, bytes.count >= 2 + Int(bytes[1]) else { throw Refusal(.invalid, Cause.malformed) }
        guard open.remove(bytes[0]) != nil else { throw Refusal(.invalid, Cause.used) }
        let type = String(decoding: bytes[2..<2 + Int(bytes[1])], as: UTF8.self)
        let opening = Bytes(Array(bytes.dropFirst(2 + Int(bytes[1]))))
        step.start(ConversationSeed(type: ConversationType(type), side: .invited(opening: opening)))
    }
}

/// Conversation on the one address there is: four random bytes name it, a count numbers each content; one that comes too soon is refused as early.
struct ToyConversation: SimpleConversation {
    static let facts = Facts(name: "toy", summary: "content in strict order, in the clear")

    private(set) var name: [UInt8]
    private let role: Role
    private var sent: UInt8 = 0
    private var received: UInt8 = 0

    private init(name: [UInt8], role: Role) {
        (self.name, self.role) = (name, role)
    }

    var id: ConversationID { ConversationID(bytes: name + [role == .initiator ? 1 : 2]) }
    private var peer: ConversationID { ConversationID(bytes: name + [role == .initiator ? 2 : 1]) }
    var listening: [Listening] { [Listening("inbox", Route(id.text))] }

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        guard seed.role == .responder else {
            self.init(name: step.random.bytes(4, for: .identifier), role: .initiator)
            return
        }
        guard let opening = seed.opening?.array, opening.count >= 5 else {
            throw Refusal(.invalid, ToyInitialization.Cause.malformed)
        }
        self.init(name: Array(opening[..<4]), role: .responder)
        try receive(Routed("", Route(""), payload: Bytes(Array(opening[4...]))), in: &step)
    }

    init(restoring records: [Record]) throws(Refusal) {
        guard let bytes = records.first?.bytes?.array, bytes.count == 7 else {
            throw Refusal(.unsupported, CommonCause.unreadableRecord("toy", machine: "toy"))
        }
        self.init(name: Array(bytes[..<4]), role: bytes[4] == 1 ? .initiator : .responder)
        (sent, received) = (bytes[5], bytes[6])
    }

    func takeChanges() -> [Record] { [Record("toy", Bytes(name + [role == .initiator ? 1 : 2, sent, received]))] }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        guard case .send(let content, part: .whole, about: nil) = action else {
            throw Refusal(.unable, CommonCause.unsupportedAction(action.name, type: "toy"))
        }
        sent += 1
        let bytes = [sent] + content.array
        if role == .initiator, sent == 1 { return step.open(Bytes(name + bytes), for: id) }
        step.send(Routed("inbox", Route(peer.text), payload: Bytes(bytes)), for: id)
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        guard let number = routed.payload.array.first else {
            throw Refusal(.invalid, ToyInitialization.Cause.malformed)
        }
        guard number > received else { throw Refusal(.invalid, ToyInitialization.Cause.used) }
        guard number == received + 1 else { throw Refusal(.early, ToyInitialization.Cause.used) }
        received = number
        step.report(.content(ReceivedContent(routed.payload.slice(1..<routed.payload.count))))
    }
}

/// Framing: the route's length, the route, the payload.
struct ToyFraming: FramingStrategy {
    let facts = Facts(name: "toy-framing", summary: "length, route, payload")
    let headRoom = 256
    private var table = ListeningTable()

    mutating func listen(_ listening: [Listening], for owner: Owner) { table.listen(listening, for: owner) }

    func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        let route = Array(routed.route.id.utf8)
        return Addressed(
            routed.address, payload: Bytes([UInt8(route.count)] + route + routed.payload.array),
            replyAddress: routed.replyAddress, headers: routed.headers, ending: routed.ending)
    }

    func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        guard let count = addressed.payload.array.first.map(Int.init), count < addressed.payload.count else {
            throw Refusal(.invalid, CommonCause.malformed("toy frame", at: 0))
        }
        let id = String(decoding: addressed.payload.array[1...count], as: UTF8.self)
        guard let entry = table[addressed.address].first(where: { $0.route.id == id }) else { return .foreign }
        let payload = addressed.payload.slice(1 + count..<addressed.payload.count)
        let routed = Routed(
            addressed.address, entry.route, payload: payload, headers: addressed.headers,
            replyAddress: addressed.replyAddress, ending: addressed.ending)
        return .payload(routed, for: entry.owner)
    }
}

/// Delivery Service: hands every payload to every subscriber of its address, at once.
final class ToyService: DeliveryService {
    let facts = Facts(name: "toy-service", summary: "at once, to everybody who is there")
    let limits = DeliveryLimits(maximumPayload: 1_000)
    private let mailboxes = Lock<[DeliveryAddress: [Mailbox]]>([:])

    func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        payloads.map { payload in
            guard payload.payload.count <= 1_000 else {
                return .failure(.tooLarge(bytes: payload.payload.count, limit: 1_000))
            }
            for mailbox in mailboxes.withLock({ $0[payload.address] ?? [] }) { _ = mailbox.offer([Delivery(payload)]) }
            return .success(Receipt())
        }
    }

    func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        mailboxes.withLock { table in
            for address in addresses.keys where table[address]?.contains(where: { $0 === mailbox }) != true {
                table[address, default: []].append(mailbox)
            }
        }
    }

    func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        mailboxes.withLock { table in for address in addresses { table[address]?.removeAll { $0 === mailbox } } }
    }
}
