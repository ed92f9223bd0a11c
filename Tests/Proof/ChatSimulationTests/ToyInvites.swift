import ChatModel

/// Initialization: a bundle is a peer and a number that is good once; invites are sent until they are answered.
struct ToyInvites: InitializationProtocol {
    let peer: UInt32
    private var next: UInt32 = 0
    private var live: Set<UInt32> = []
    /// Of contacts that have begun: the peer, the number, the type's name.
    private var begun: [ContactID: (peer: UInt32, number: UInt32, type: String)] = [:]

    init(peer: Int) {
        self.peer = UInt32(peer)
    }

    let facts = Facts(
        name: "toy-invites", summary: "numbers that are good once", claims: [Claim(.lossRecovery, "TOY-1")])
    var listening: [Listening] { [Listening(DeliveryAddress("inbox-\(peer)"), Route("inbox"))] }

    mutating func restore(_ records: [Record]) throws(Refusal) {
        guard let bytes = records.first?.bytes else { return }
        var reader = ToyReader(bytes)
        next = try reader.number()
        for _ in 0..<(try reader.number()) { live.insert(try reader.number()) }
        for _ in 0..<(try reader.number()) {
            let contact = ContactID(UInt64(try reader.number()))
            let (peer, number) = (try reader.number(), try reader.number())
            begun[contact] = (peer, number, String(decoding: try reader.field().array, as: UTF8.self))
        }
    }

    func takeChanges() -> [Record] {
        var writer = ToyWriter()
        writer.write(next)
        writer.write(UInt32(live.count))
        for number in live.sorted() { writer.write(number) }
        writer.write(UInt32(begun.count))
        for (contact, kept) in begun.sorted(by: { $0.key < $1.key }) {
            writer.write(UInt32(contact.number))
            writer.write(kept.peer)
            writer.write(kept.number)
            writer.write(Bytes(kept.type))
        }
        return [Record("state", Bytes(writer.bytes))]
    }

    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        (0..<count).map { _ in
            next += 1
            live.insert(next)
            var writer = ToyWriter()
            writer.write(peer)
            writer.write(next)
            return IntroductionBundle(scheme: "toy", bytes: Bytes(writer.bytes), isSingleUse: true)
        }
    }

    mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        var reader = ToyReader(bundle.bytes)
        begun[contact] = (try reader.number(), try reader.number(), type.name)
        return ConversationSeed(type: type, side: .inviting(), contact: contact)
    }

    mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let kept = begun.removeValue(forKey: contact) else { throw Refusal(.unable, ToyCause.used) }
        var writer = ToyWriter()
        writer.write(kept.number)
        writer.write(Bytes(kept.type))
        writer.write(opening)
        let address = DeliveryAddress("inbox-\(kept.peer)")
        step.send(Routed(address, Route("inbox"), payload: Bytes(writer.bytes)), for: content, until: contact)
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        var reader = ToyReader(routed.payload)
        let number = try reader.number()
        let (type, opening) = (try reader.field(), try reader.field())
        guard live.remove(number) != nil else { throw Refusal(.invalid, ToyCause.used) }
        let name = String(decoding: type.array, as: UTF8.self)
        step.start(ConversationSeed(type: ConversationType(name), side: .invited(opening: opening)))
    }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        if case .contactEnded(let contact) = signal { begun[contact] = nil }
    }
}
