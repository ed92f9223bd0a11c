import ChatModel

/// Initialization: a bundle is a peer and a number that is good once; invites are sent until they are answered.
struct ToyInvites: InitializationProtocol {
    let peer: UInt32
    private var next: UInt32 = 0
    private var live: Set<UInt32> = []
    private var pending: [(id: String, address: String, payload: Bytes)] = []
    private var backoff = ToyBackoff()

    init(peer: Int) {
        self.peer = UInt32(peer)
    }

    let facts = Facts(
        name: "toy-invites", summary: "numbers that are good once", claims: [Claim(.lossRecovery, "TOY-1")])
    var listening: [Listening] { [Listening(DeliveryAddress("inbox-\(peer)"), Route("inbox"))] }

    var nextWake: Timestamp? { pending.isEmpty ? nil : backoff.next }

    mutating func restore(_ records: [Record]) throws(Refusal) {
        guard let bytes = records.first?.bytes else { return }
        var reader = ToyReader(bytes)
        next = try reader.number()
        for _ in 0..<(try reader.number()) { live.insert(try reader.number()) }
        for _ in 0..<(try reader.number()) {
            let (id, address) = (try reader.field(), try reader.field())
            pending.append(
                (
                    String(decoding: id.array, as: UTF8.self), String(decoding: address.array, as: UTF8.self),
                    try reader.field()
                ))
        }
    }

    func takeChanges() -> [Record] {
        var writer = ToyWriter()
        writer.write(next)
        writer.write(UInt32(live.count))
        for number in live.sorted() { writer.write(number) }
        writer.write(UInt32(pending.count))
        for invite in pending {
            writer.write(Bytes(invite.id))
            writer.write(Bytes(invite.address))
            writer.write(invite.payload)
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

    func seed(
        _ type: ConversationType, for bundle: IntroductionBundle?, in step: inout Step
    ) throws(Refusal) -> ConversationSeed {
        guard let bytes = bundle?.bytes else { throw Refusal(.unable, ToyCause.malformed) }
        return ConversationSeed(type: type, role: .initiator, ticket: Secret(copying: bytes.span))
    }

    mutating func invite(
        _ seed: ConversationSeed, as conversation: ConversationID, opening: Payload, for content: ContentID?,
        in step: inout Step
    ) throws(Refusal) {
        var ticket = ToyReader(seed.ticket?.lend { Bytes(copying: $0) } ?? [])
        let (peer, number) = (try ticket.number(), try ticket.number())
        var writer = ToyWriter()
        writer.write(number)
        writer.write(Bytes(seed.type.name))
        writer.write(opening)
        let address = "inbox-\(peer)"
        pending.append((conversation.text, address, Bytes(writer.bytes)))
        step.send(Routed(DeliveryAddress(address), Route("inbox"), payload: Bytes(writer.bytes)), for: content)
        backoff.start(at: step.now)
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        var reader = ToyReader(routed.payload)
        let number = try reader.number()
        let (type, opening) = (try reader.field(), try reader.field())
        guard live.remove(number) != nil else { throw Refusal(.invalid, ToyCause.used) }
        let name = String(decoding: type.array, as: UTF8.self)
        step.start(ConversationSeed(type: ConversationType(name), role: .responder, opening: opening))
    }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        switch signal {
        case .inviteAnswered(let id): pending.removeAll { $0.id == id.text }
        case .restored where !pending.isEmpty: backoff.start(at: step.now)
        case .due where step.now >= backoff.next:
            for invite in pending {
                step.send(Routed(DeliveryAddress(invite.address), Route("inbox"), payload: invite.payload))
            }
            backoff.again(at: step.now)
        default: break
        }
    }
}
