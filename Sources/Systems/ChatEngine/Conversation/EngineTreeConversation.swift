import ChatCodec
import ChatCrypto
public import ChatModel

/// One conversation of `engine-tree`: the client's machine or the engine's, and how its lines travel.
public struct EngineTreeConversation: Conversation {
    /// How lines travel.
    enum Transport: Sendable {
        /// As payloads on an address of the conversation. The client's first goes into the invite.
        case own(channel: [UInt8], isOpened: Bool)
        /// As contents of another conversation.
        case carried(any Conversation)
    }

    private var party: TreeParty
    private var transport: Transport
    private var isPlaceChanged = true
    private let type: String
    private let ownListening: [Listening]
    private let ownID: ConversationID

    private static let carrierPrefix = "carrier/"
    private static let placeKey = "place"

    init(
        _ seed: ConversationSeed, party: TreeParty, type: String, carrier: (any ConversationProtocol)?,
        in step: inout Step
    ) throws(Refusal) {
        (self.party, self.type) = (party, type)
        guard let carrier else {
            guard let secret = seed.secret else {
                throw Refusal(.unable, CommonCause.incompleteSeed("a secret", type: type))
            }
            let channel = BLAKE2b.derive(count: 16, key: secret, personal: "EngineTreeChanID").lend {
                Bytes(copying: $0).array
            }
            (ownID, ownListening) = Self.place(channel, isClient: party.isClient)
            transport = .own(channel: channel, isOpened: !party.isClient)
            if let opening = seed.opening {
                try take(opening, in: &step)
            } else {
                try pass(self.party.begin(in: &step), in: &step)
            }
            return
        }
        (ownID, ownListening) = (ConversationID(""), [])
        let (inner, left) = try step.lend { (step) throws(Refusal) in try carrier.begin(seed, in: &step) }
        transport = .carried(inner)
        try absorb(left, isOpening: true, in: &step)
        try pass(self.party.begin(in: &step), in: &step)
    }

    init(
        restoring records: [Record], type: String, carrier: (any ConversationProtocol)?, _ make: (Bool) -> TreeParty
    ) throws(Refusal) {
        self.type = type
        let inner = records.filter { $0.key.hasPrefix(Self.carrierPrefix) }
        let place = records.first { $0.key == Self.placeKey }?.bytes?.array ?? []
        guard place.count == 3 || place.count == 19, place[0] == 1, place[1] <= 1, place[2] <= 1,
            (place.count == 3) == (carrier != nil)
        else { throw Refusal(.invalid, CommonCause.unreadableRecord(Self.placeKey, machine: type)) }
        var party = make(place[1] == 1)
        try party.restore(
            records.filter { !$0.key.hasPrefix(Self.carrierPrefix) && $0.key != Self.placeKey })
        self.party = party
        isPlaceChanged = false
        guard let carrier else {
            let channel = Array(place.dropFirst(3))
            (ownID, ownListening) = Self.place(channel, isClient: party.isClient)
            transport = .own(channel: channel, isOpened: place[2] == 1)
            return
        }
        (ownID, ownListening) = (ConversationID(""), [])
        let stripped = inner.map { Record(String($0.key.dropFirst(Self.carrierPrefix.count)), $0.bytes) }
        transport = .carried(try carrier.restore(stripped))
    }

    private static func place(_ channel: [UInt8], isClient: Bool) -> (ConversationID, [Listening]) {
        let route = isClient ? EngineTree.clientRoute : EngineTree.engineRoute
        let id = BLAKE2b.hash(count: 16, Array("engine-tree|\(route)|".utf8) + channel)
        return (ConversationID(bytes: id), [Listening(address(channel), route)])
    }

    private static func address(_ channel: [UInt8]) -> DeliveryAddress {
        DeliveryAddress(Hex.encode(BLAKE2b.hash(count: 8, Array("engine-tree|addr|".utf8) + channel)))
    }

    /// The carrier's id, or a hash of the channel's and of the kind of machine.
    public var id: ConversationID {
        if case .carried(let inner) = transport { inner.id } else { ownID }
    }

    /// What is listened to; for a conversation with an address of its own it never changes.
    public var listening: [Listening] {
        if case .carried(let inner) = transport { inner.listening } else { ownListening }
    }

    /// A client waits until there is a session.
    public var acceptsContent: Bool {
        guard case .carried(let inner) = transport else { return party.acceptsContent }
        return party.acceptsContent && inner.acceptsContent
    }

    /// When a request is sent again, or the carrier wants to be woken.
    public var nextWake: Timestamp? {
        guard case .carried(let inner) = transport else { return party.nextWake }
        return Timestamp.earliest(party.nextWake, inner.nextWake)
    }

    /// The records that changed since the last call; pieces of answers change none.
    public mutating func takeChanges() -> [Record] {
        var records = party.takeChanges()
        let isClient: UInt8 = party.isClient ? 1 : 0
        switch transport {
        case .own(let channel, let isOpened):
            if isPlaceChanged {
                records.append(Record(Self.placeKey, Bytes([1, isClient, isOpened ? 1 : 0] + channel)))
            }
        case .carried(var inner):
            records += inner.takeChanges().map { Record(Self.carrierPrefix + $0.key, $0.bytes) }
            transport = .carried(inner)
            if isPlaceChanged { records.append(Record(Self.placeKey, Bytes([1, isClient, 0]))) }
        }
        isPlaceChanged = false
        return records
    }
}

// Steps.
extension EngineTreeConversation {
    /// Asks or answers, or does what ``EngineTreeAction`` says.
    public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        var trial = self
        let left = try step.lend { (step) throws(Refusal) in
            let output: TreeOutput
            do throws(Violation) { output = try trial.party.perform(action, as: id, in: &step) } catch {
                guard error.reason == "unsupported" else { throw Refusal(.unable, error) }
                throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: trial.type))
            }
            try trial.pass(output, in: &step)
        }.output
        step.take(left)
        self = trial
    }

    /// Takes a line of the other side, or a payload of the carrier.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        guard case .carried(var inner) = transport else { return try take(routed.payload, in: &step) }
        let left = try step.lend { (step) throws(Refusal) in try inner.receive(routed, in: &step) }.output
        transport = .carried(inner)
        try absorb(left, isOpening: false, in: &step)
    }

    /// Sends requests again, and wakes the carrier.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        if case .carried(var inner) = transport {
            let left = step.lend { step in inner.handle(signal, in: &step) }.output
            transport = .carried(inner)
            try? absorb(left, isOpening: false, in: &step)
        }
        // A line that the carrier refuses now is sent again later.
        try? pass(party.handle(signal, in: &step), in: &step)
    }

    private mutating func take(_ payload: Payload, in step: inout Step) throws(Refusal) {
        var trial = self
        let left = try step.lend { (step) throws(Refusal) in
            let output: TreeOutput
            do throws(Violation) { output = try trial.party.receive(payload.span, in: &step) } catch {
                throw Refusal(.invalid, error)
            }
            try trial.pass(output, in: &step)
        }.output
        step.take(left)
        self = trial
    }

    private mutating func pass(_ output: TreeOutput, in step: inout Step) throws(Refusal) {
        for line in output.lines { try send(line.bytes, for: line.content, in: &step) }
        for event in output.events { step.report(event) }
    }

    private mutating func send(_ line: [UInt8], for content: ContentID?, in step: inout Step) throws(Refusal) {
        switch transport {
        case .own(let channel, let isOpened):
            guard line.count <= step.maximumPayload else {
                throw Refusal(.unable, CommonCause.tooLarge("line", bytes: line.count, limit: step.maximumPayload))
            }
            let payload = Bytes(headRoom: step.headRoom, count: line.count) { output in
                for byte in line { output.append(byte) }
            }
            guard isOpened else {
                step.open(payload, for: content)
                (transport, isPlaceChanged) = (.own(channel: channel, isOpened: true), true)
                return
            }
            let route = party.isClient ? EngineTree.engineRoute : EngineTree.clientRoute
            step.send(Routed(Self.address(channel), route, payload: payload), for: content)
        case .carried(var inner):
            var left = try step.lend { (step) throws(Refusal) in
                try inner.perform(.send(Bytes(line)), as: content ?? ContentID(0), in: &step)
            }.output
            // What becomes of a line is not what becomes of a content.
            left.events.removeAll { if case .status = $0 { true } else { false } }
            if content == nil {
                for index in left.sends.indices { left.sends[index].content = nil }
                for index in left.openings.indices { left.openings[index].content = nil }
            }
            transport = .carried(inner)
            step.take(left)
        }
    }

    /// Takes what the carrier left: its contents are lines, what else it says is passed on.
    private mutating func absorb(
        _ left: consuming Step.Output, isOpening: Bool, in step: inout Step
    ) throws(Refusal) {
        var rest = left
        let events = rest.events
        rest.events = []
        step.take(rest)
        for event in events {
            switch event {
            case .content(let received):
                do throws(Refusal) { try take(received.content, in: &step) } catch {
                    // The payload itself was good, and is used up; in an opening nothing is yet.
                    guard !isOpening else { throw error }
                    step.report(.refused(error))
                }
            case .status, .progress: break
            default: step.report(event)
            }
        }
    }
}
