import ChatModel

@testable import ChatReliability

/// A reliable channel as a conversation type, so that it can be simulated: any number of participants on one address.
struct ChannelTalk: SimpleConversation {
    static let facts = Facts(
        name: "channel", summary: "RELIABLE-CHANNEL-API among any number of participants, in the clear",
        claims: [
            Claim(.lossRecovery, "RC-05"), Claim(.replayProtection, "SDS-07"), Claim(.causalOrder, "SDS-04"),
        ])
    private static let stateKey = "talk"
    private static let inner = "channel/"

    private let name: Bytes
    private var channel: ReliableChannel
    /// Contents under way, by the channel's number.
    private var requests: [UInt64: UInt64] = [:]
    /// What a founder said before anybody else was there.
    private var held: [(content: Content, id: UInt64)] = []
    private var members: UInt32
    /// Whether the invite is still to be written, where one other was invited from the start.
    private var isToInvite: Bool
    private var now: Timestamp
    private var isChanged = true

    var id: ConversationID { ConversationID(bytes: name.array) }
    var listening: [Listening] { [Listening(channel.address, Route(id.text))] }
    var nextWake: Timestamp? { channel.nextWake(now: now) }

    /// The messages in the order that all participants share.
    var order: [String] { channel.channel.order.map(\.id.text) }

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        let isFounder = seed.role == .initiator
        name = isFounder ? Bytes(step.random.bytes(8, for: .identifier)) : seed.opening ?? []
        if case .inviting = seed.side { isToInvite = true } else { isToInvite = false }
        (now, members) = (step.now, isFounder && !isToInvite ? 1 : 2)
        let text = ConversationID(bytes: name.array).text
        channel = try ReliableChannel(text, on: DeliveryAddress(text), random: &step.random, now: step.now)
        channel.participants = 4
        carryOut(in: &step)
    }

    init(restoring records: [Record]) throws(Refusal) {
        guard let state = records.first(where: { $0.key == Self.stateKey })?.bytes else {
            throw Refusal(.invalid, ToyCause.malformed)
        }
        var reader = ToyReader(state)
        (name, members) = (try reader.field(), try reader.number())
        for _ in 0..<(try reader.number()) { requests[UInt64(try reader.number())] = UInt64(try reader.number()) }
        for _ in 0..<(try reader.number()) { held.append((try reader.field(), UInt64(try reader.number()))) }
        let rest = records.filter { $0.key.hasPrefix(Self.inner) }
        channel = try ReliableChannel(
            restoring: rest.map { Record(String($0.key.dropFirst(Self.inner.count)), $0.bytes) })
        channel.participants = 4
        (now, isChanged, isToInvite) = (.zero, false, false)
    }

    mutating func takeChanges() -> [Record] {
        var records = channel.takeChanges().map { Record(Self.inner + $0.key, $0.bytes) }
        guard isChanged else { return records }
        isChanged = false
        var writer = ToyWriter()
        writer.write(name)
        writer.write(members)
        writer.write(UInt32(requests.count))
        for (request, content) in requests.sorted(by: { $0.key < $1.key }) {
            writer.write(UInt32(request))
            writer.write(UInt32(content))
        }
        writer.write(UInt32(held.count))
        for entry in held {
            writer.write(entry.content)
            writer.write(UInt32(entry.id))
        }
        records.append(Record(Self.stateKey, Bytes(writer.bytes)))
        return records
    }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        now = step.now
        switch action {
        case .send(let content, .whole, _) where members == 1: held.append((content, id.number))
        case .send(let content, .whole, _):
            requests[try channel.send(content, now: now).number] = id.number
            if isToInvite { step.open(name, for: id) }
            isToInvite = false
        case .add(let seeds):
            for seed in seeds { step.open(name, to: seed.contact) }
            members += UInt32(seeds.count)
            for entry in held { requests[try channel.send(entry.content, now: now).number] = entry.id }
            held = []
        default: throw Refusal(.unable, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
        }
        isChanged = true
        carryOut(in: &step)
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        now = step.now
        channel.receive(routed.payload, now: now)
        carryOut(in: &step)
    }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        let before = now
        now = step.now
        switch signal {
        case .due: channel.wake(now: now)
        case .restored, .linkBack: channel.resume(since: before, now: now)
        default: break
        }
        carryOut(in: &step)
    }

    /// Sends what the channel dispatches, and tells what it tells.
    private mutating func carryOut(in step: inout Step) {
        for dispatch in channel.takeDispatches(now: step.now) {
            step.send(Routed(channel.address, Route(id.text), payload: dispatch.payload))
            channel.didDispatch(dispatch)
        }
        for event in channel.takeEvents() {
            switch event {
            case .received(let content, _): step.report(.content(ReceivedContent(content)))
            case .sent(let request): tell(.sent, request, in: &step)
            // One of several has it; only where there is one other is it delivered to all.
            case .delivered(let request): tell(members == 2 ? .delivered : .sent, request, isFinal: true, in: &step)
            case .sendError(let request, let why), .deliveryError(let request, let why):
                tell(.failed(why), request, isFinal: true, in: &step)
            case .lost(let id): step.report(.gap(Gap(reference: id, isFinal: true)))
            case .refused(let refusal): step.report(.refused(refusal))
            case .missing, .fetch: break
            }
        }
    }

    private mutating func tell(
        _ status: ContentStatus, _ request: ReliableChannel.RequestID, isFinal: Bool = false, in step: inout Step
    ) {
        guard let content = requests[request.number] else { return }
        step.report(.status(ContentID(content), status))
        if isFinal { requests[request.number] = nil }
        isChanged = true
    }
}
