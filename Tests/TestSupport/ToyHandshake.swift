public import ChatModel

/// Initialization of two round trips: Saro knocks, Raya answers, Saro invites. A bundle is a number that is good once
/// and its maker's name.
///
/// Raya keeps nothing between knock and invite: the answer holds all she needs. Messages are of one byte each for
/// kind, contact and number, and a text.
public struct ToyHandshake: InitializationProtocol {
    enum Cause: String, RefusalCause {
        case used, malformed, refused
        var code: String { rawValue }
        var description: String { rawValue }
    }

    /// A contact that has begun.
    private struct Begun {
        let number: UInt8
        let peer: String
        let type: String
        var isAnswered = false
    }

    private let name: String
    private var open: Set<UInt8> = []
    private var next: UInt8 = 0
    private var begun: [ContactID: Begun] = [:]
    private var recorded: Set<ContactID> = []

    /// The toy of a client with a name, where its invites arrive.
    public init(_ name: String) {
        self.name = name
    }

    /// Name `toy-handshake`.
    public let facts = Facts(name: "toy-handshake", summary: "a knock, an answer, an invite", messages: 3)
    /// One address for everybody, and the client's own route.
    public var listening: [Listening] { [Listening("inbox", Route(name))] }

    /// Numbers bundles.
    public mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        guard (0...100).contains(count), Int(next) + count < 255 else { throw Refusal(.unable, Cause.used) }
        return (0..<count).map { _ in
            next += 1
            open.insert(next)
            return IntroductionBundle(scheme: "toy", bytes: Bytes([next] + Array(name.utf8)), isSingleUse: true)
        }
    }

    /// Knocks.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        guard bundle.scheme == "toy" else {
            throw Refusal(.unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: facts.name))
        }
        let bytes = bundle.bytes.array
        guard bytes.count > 1, let peer = String(validating: bytes[1...], as: UTF8.self), contact.number < 256 else {
            throw Refusal(.invalid, Cause.malformed)
        }
        begun[contact] = Begun(number: bytes[0], peer: peer, type: type.name)
        step.send(message(1, contact, bytes[0], name, to: peer), until: contact)
        return nil
    }

    /// Answers a knock, starts with an answer, or opens an invite.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let bytes = routed.payload.array
        guard bytes.count > 3, (1...3).contains(bytes[0]) else { throw Refusal(.invalid, Cause.malformed) }
        let (contact, number, rest) = (ContactID(UInt64(bytes[1])), bytes[2], bytes[3...])
        guard bytes[0] != 3 else { return try receiveInvite(number, rest, in: &step) }
        guard let text = String(validating: rest, as: UTF8.self) else { throw Refusal(.invalid, Cause.malformed) }
        if bytes[0] == 1 {
            return step.send(message(2, contact, number, open.contains(number) ? "yes" : "no", to: text))
        }
        guard let one = begun[contact], one.number == number, text == "yes" || text == "no" else {
            throw Refusal(.invalid, Cause.malformed)
        }
        guard !one.isAnswered else { throw Refusal(.invalid, Cause.used) }
        guard text == "yes" else { return step.finish(contact, Refusal(.unable, Cause.refused)) }
        begun[contact]?.isAnswered = true
        step.start(
            ConversationSeed(
                type: ConversationType(one.type), side: .inviting(answer: routed.payload), contact: contact))
    }

    private mutating func receiveInvite(_ number: UInt8, _ rest: ArraySlice<UInt8>, in step: inout Step) throws(Refusal)
    {
        guard let size = rest.first.map(Int.init), rest.count > size,
            let type = String(validating: rest.dropFirst().prefix(size), as: UTF8.self)
        else { throw Refusal(.invalid, Cause.malformed) }
        guard open.remove(number) != nil else { throw Refusal(.invalid, Cause.used) }
        let opening = Bytes(Array(rest.dropFirst(1 + size)))
        step.start(ConversationSeed(type: ConversationType(type), side: .invited(opening: opening)))
    }

    /// Sends type and opening.
    public mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let one = begun[contact], one.isAnswered else { throw Refusal(.unable, Cause.used) }
        var routed = message(3, contact, one.number, "", to: one.peer)
        routed.payload = Bytes(
            routed.payload.array + [UInt8(one.type.utf8.count)] + Array(one.type.utf8) + opening.array)
        guard routed.payload.count <= step.maximumPayload else {
            let (bytes, limit) = (routed.payload.count, step.maximumPayload)
            throw Refusal(.unable, CommonCause.tooLarge("invite", bytes: bytes, limit: limit))
        }
        begun[contact] = nil
        step.send(routed, for: content, until: contact)
    }

    /// Forgets a contact that has ended.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        if case .contactEnded(let contact) = signal { begun[contact] = nil }
    }

    private func message(
        _ kind: UInt8, _ contact: ContactID, _ number: UInt8, _ text: String, to peer: String
    ) -> Routed {
        let head = [kind, UInt8(truncatingIfNeeded: contact.number), number]
        return Routed("inbox", Route(peer), payload: Bytes(head + Array(text.utf8)))
    }

    /// A record for each contact, and one for the numbers that are good.
    public mutating func takeChanges() -> [Record] {
        let gone = recorded.subtracting(begun.keys).sorted().map { Record("\($0)", nil) }
        recorded = Set(begun.keys)
        let live = begun.sorted { $0.key < $1.key }.map { contact, one in
            let peer = [UInt8(one.peer.utf8.count)] + Array(one.peer.utf8)
            return Record("\(contact)", Bytes([1, one.number, one.isAnswered ? 1 : 0] + peer + Array(one.type.utf8)))
        }
        return gone + live + [Record("open", Bytes([1, next] + open.sorted()))]
    }

    /// Takes up records; a refused one changes nothing.
    public mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = self
        for record in records {
            guard let bytes = record.bytes?.array, bytes.count > 1, bytes[0] == 1 else { throw unreadable(record) }
            guard record.key != "open" else {
                (trial.next, trial.open) = (bytes[1], Set(bytes.dropFirst(2)))
                continue
            }
            guard let number = UInt64(record.key), bytes.count > 4, bytes.count > 4 + Int(bytes[3]),
                let peer = String(validating: bytes[4..<4 + Int(bytes[3])], as: UTF8.self),
                let type = String(validating: bytes[(4 + Int(bytes[3]))...], as: UTF8.self)
            else { throw unreadable(record) }
            trial.begun[ContactID(number)] = Begun(number: bytes[1], peer: peer, type: type, isAnswered: bytes[2] == 1)
            trial.recorded.insert(ContactID(number))
        }
        self = trial
    }

    private func unreadable(_ record: Record) -> Refusal {
        Refusal(.unsupported, CommonCause.unreadableRecord(record.key, machine: facts.name))
    }
}
