import ChatCodec
import ChatCrypto
public import ChatModel
import ChatRecords

/// A conversation of two without any cryptography: for tests, for comparison, and for transports that have their own.
///
/// It behaves like ``PrivateV1/Libchat`` where that does not need keys: ids and address come from the
/// seed's secret, payloads are numbered, each is delivered once and in any order (`Specs/plain-conversation.md`).
public struct PlainConversation: SimpleConversation, Equatable {
    /// Name, claims, and plainly what it lacks.
    public static let facts = Facts(
        name: "plain",
        summary: "Two participants, numbered payloads and no cryptography: everybody on the way can read and forge.",
        claims: [
            Claim(.confidentiality, "CONV-02", holds: false, "content travels in clear"),
            Claim(.integrity, "CONV-02", holds: false, "nothing is authenticated"),
            Claim(.authentication, "CONV-02", holds: false), Claim(.forwardSecrecy, "CONV-02", holds: false),
            Claim(.postCompromiseSecurity, "CONV-02", holds: false),
            Claim(.deniability, "CONV-02", "nothing is signed"),
            Claim(.senderPrivacy, "PLAIN-2", "payloads name no sender"),
            Claim(.unlinkability, "PLAIN-1", holds: false, "one address for each conversation"),
            Claim(.replayProtection, "PLAIN-3", "against repeats on the way, not against forgeries"),
            Claim(.lossDetection, "PLAIN-3", "as soon as a later payload arrives"),
            Claim(.lossRecovery, "PLAIN-3", holds: false, "nothing is sent again"),
        ])
    /// Bytes of an id (CT-02).
    static let idSize = 16
    private static let stored = RecordCodec(machine: facts.name)

    private var party: TwoParty
    private var state = State()
    /// The other side's route, with the secret.
    private let remote: Route
    /// The own id on the conversation's address.
    public private(set) var listening: [Listening]
    private var isChanged = true

    /// Begins with a secret, which names the conversation and protects nothing; the responder reads the opening.
    public init(_ seed: ConversationSeed, in turn: inout Step) throws(Refusal) {
        let (secret, ids) = try TwoParty.ids(seed, size: Self.idSize, type: Self.facts.name)
        party = TwoParty(seed, ids, address: Self.address(ids))
        (remote, listening) = Self.routes(party, state, RouteSecret.following(secret))
        guard seed.role == .responder else { return }
        guard let opening = seed.opening else { throw TwoParty.incomplete("an opening", Self.facts.name) }
        try receive(opening, in: &turn)
        listening[0].window = state.window.sequences
    }

    /// The other side's route, and what is listened to.
    private static func routes(
        _ party: TwoParty, _ state: State, _ secret: Secret?
    ) -> (remote: Route, listening: [Listening]) {
        guard let secret else { return (party.remote, [Listening(party.address, party.own)]) }
        let own = Listening(party.address, Route(party.own.id, secret: secret), window: state.window.sequences)
        return (Route(party.remote.id, secret: secret), [own])
    }

    /// An address of its own for each conversation, which tells nothing of the participants.
    private static func address(_ ids: RoleIDs) -> DeliveryAddress {
        DeliveryAddress(hex(BLAKE2b.hash(count: 8, Array("plain|addr|".utf8) + ids.base)))
    }

    /// Makes the conversation again from its one record.
    public init(restoring records: [Record]) throws(Refusal) {
        let (record, _) = try Self.stored.sort(records)
        let stored: TwoParty.State<State> = try Self.stored.message(record)
        (party, state, isChanged) = (stored.party, stored.inner, false)
        let bytes = stored.inner.secret
        let secret = bytes.isEmpty ? nil : Secret(copying: bytes.span)
        state.secret = []
        (remote, listening) = Self.routes(party, state, secret)
    }

    /// The one record, if anything changed.
    public mutating func takeChanges() -> [Record] {
        guard isChanged else { return [] }
        isChanged = false
        var stored = state
        if let secret = remote.secret { stored.secret = secret.lend { Bytes(copying: $0) } }
        return [Self.stored.record(RecordCodec.stateKey, TwoParty.State(party, stored))]
    }

    /// The own side's conversation id: 32 digits.
    public var id: ConversationID { party.id }

    /// Sends content; the first of an initiator goes into the invite. There are no other actions.
    public mutating func perform(_ action: Action, as id: ContentID, in turn: inout Step) throws(Refusal) {
        guard case .send(let content, part: .whole, about: nil) = action else {
            throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
        }
        let frame = PlainFrame(number: state.sent, content: content)
        try party.check(frame.size, in: turn)
        state.sent += 1
        party.dispatch(
            frame.encoded(headRoom: turn.headRoom), to: remote, sequence: state.sent, for: id, in: &turn)
        isChanged = true
    }

    /// Receives a payload; malformed, repeated and early ones change nothing.
    public mutating func receive(_ routed: Routed, in turn: inout Step) throws(Refusal) {
        try receive(routed.payload, in: &turn)
    }

    private mutating func receive(_ payload: Payload, in turn: inout Step) throws(Refusal) {
        let frame = try PlainFrame(decoding: payload)
        let step = try state.window.decide(frame.number)
        for name in Self.names(of: state.window.take(step)) {
            turn.report(.gap(Gap(reference: name, sender: party.peer, isFinal: false)))
        }
        var reference: String?
        if case .late = step { reference = String(frame.number) }
        turn.report(.content(ReceivedContent(frame.content, sender: party.peer, reference: reference)))
        isChanged = true
    }

    /// Of a long gap, the last have a name each and all before them one together.
    private static func names(of gap: Range<UInt64>) -> [String] {
        let named = gap.suffix(1_000)
        let others = gap.lowerBound..<named.startIndex
        return (others.isEmpty ? [] : ["\(others.lowerBound)-\(others.upperBound - 1)"]) + named.map { String($0) }
    }
}

extension PlainConversation {
    /// The state that is stored beside the ids.
    struct State: ProtoMessage {
        /// Field 1: how many payloads were sent.
        var sent: UInt64 = 0
        /// Field 2: the next number that is expected; field 4: the ranges of missing ones, two varints each: where it
        /// begins, less the end of the one before, and its length. Field 3 held single numbers in their place.
        var window = NumberWindow()
        /// Field 5, in records alone: the secret of both routes, 32 bytes; absent in conversations that were stored
        /// without one.
        var secret = Bytes()

        init() {}

        init(decoding bytes: Bytes) throws(WireError) {
            var (next, numbers, ranges): (UInt64, [UInt64], [UInt64]) = (0, [], [])
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: sent = try reader.uint64()
                case 2: next = try reader.uint64()
                case 3: numbers.append((numbers.last ?? 0) &+ (try reader.uint64()))
                case 4: ranges.append((ranges.last ?? 0) &+ (try reader.uint64()))
                case 5: secret = bytes.slice(try reader.range())
                default: continue
                }
            }
            guard numbers.allSatisfy({ $0 < NumberWindow.limit }), ranges.count.isMultiple(of: 2),
                zip(ranges, ranges.dropFirst()).allSatisfy({ $0 <= $1 }),
                let window = NumberWindow(
                    next: next,
                    missing: numbers.map { $0..<$0 + 1 }
                        + stride(from: 0, to: ranges.count, by: 2).map { ranges[$0]..<ranges[$0 + 1] }),
                sent < NumberWindow.limit
            else {
                throw .missing("a window")
            }
            guard [0, RouteSecret.size].contains(secret.count) else { throw .missing("a secret of 32 bytes") }
            self.window = window
        }

        private var distances: [UInt64] {
            let bounds = window.missing.flatMap { [$0.lowerBound, $0.upperBound] }
            return zip(bounds, [0] + bounds).map { $0 - $1 }
        }

        var size: Int {
            ProtoSize.field(1, sent) + ProtoSize.field(2, window.next)
                + distances.reduce(0) { $0 + ProtoSize.tag(4) + ProtoSize.varint($1) }
                + ProtoSize.field(5, count: secret.count)
        }

        @_lifetime(output: copy output)
        func write(to output: inout OutputSpan<UInt8>) {
            output.append(field: 1, sent)
            output.append(field: 2, window.next)
            for distance in distances {
                output.append(varint: 4 << 3)
                output.append(varint: distance)
            }
            output.append(field: 5, secret)
        }
    }
}
