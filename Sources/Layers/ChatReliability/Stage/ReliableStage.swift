import ChatCodec
import ChatCrypto
public import ChatModel

/// The stage between an application and any conversation type of two: contents arrive whole, once and in causal
/// order, although payloads are lost, repeated and reordered (`Specs/reliable.md`).
///
/// Outbound: frame, segments (MESSAGE-SEGMENTATION), SDS messages, each of which is content to the inner type; so
/// one that is sent again is encrypted anew. Inbound the other way. A value without I/O that lends its turn to the
/// inner machine and takes back what that one left in it.
public struct ReliableStage<Inner: Conversation>: Sendable {
    /// The conversation whose contents are SDS messages.
    public package(set) var inner: Inner
    let names: ReliableNames
    let role: Role
    let constants: ReliableConstants
    /// The other side's identity, if the initialization authenticated one.
    let peer: PublicKey?
    var channel: SDSChannel
    var reassembler: Reassembler
    var contents = SentContents()
    var isStored = false
    /// The largest segment that the service was seen to take, in this run.
    var maximumSegment: Int
    /// The most bytes that a message adds to a segment, those of the inner type included.
    let overhead: Int

    /// Begins a conversation; the responder's opening is received here, and refused like any other payload.
    ///
    /// - Parameters:
    ///   - seed: the seed of the conversation.
    ///   - names: the ids of the channel and of its participants.
    ///   - constants: the constants of the type.
    ///   - begin: begins the inner conversation.
    ///   - turn: the step.
    public init(
        _ seed: ConversationSeed, _ names: ReliableNames, _ constants: ReliableConstants,
        inner begin: (ConversationSeed, inout Step) throws(Refusal) -> Inner, in turn: inout Step
    ) throws(Refusal) {
        let (inner, left) = try turn.lend { (turn) throws(Refusal) in try begin(seed, &turn) }
        let carriesContent = left.events.contains { event in
            if case .content = event { true } else { false }
        }
        let channel = SDSChannel(
            names.own, channel: names.channel, settings: constants.sds, now: turn.now,
            prefix: Self.channelPrefix)
        self.init(
            inner, names, constants, seed.role, peer: seed.peers.first, channel,
            Reassembler(limits: constants.reassembly))
        try absorb(left, in: &turn) { _, refusal throws(Refusal) in throw refusal }
        // A conversation does not begin with an acknowledgement (PVR-6): it would use up a single-use key.
        guard !carriesContent || self.channel.log.count > 0 || !self.channel.waiting.isEmpty else {
            throw Refusal(.invalid, ReliabilityCause.contradictoryMessage("an opening without clock or content"))
        }
    }

    init(
        _ inner: Inner, _ names: ReliableNames, _ constants: ReliableConstants, _ role: Role, peer: PublicKey?,
        _ channel: SDSChannel, _ reassembler: Reassembler
    ) {
        (self.inner, self.names, self.constants, self.role, self.peer) = (inner, names, constants, role, peer)
        (self.channel, self.reassembler) = (channel, reassembler)
        maximumSegment = constants.maximumSegment
        overhead = constants.innerOverhead + SDSMessage.maximumOverhead(names, constants.sds)
    }

    /// Sends content or a placeholder; other actions are the inner type's.
    public mutating func perform(_ action: Action, as id: ContentID, in turn: inout Step) throws(Refusal) {
        if case .frame(kind: Placeholder.kind, let bytes) = action { return try sendPlaceholder(bytes, in: &turn) }
        guard case .send(let content, part: .whole, about: nil) = action else {
            let left = try turn.lend { (turn) throws(Refusal) in try inner.perform(action, as: id, in: &turn) }.output
            return absorb(left, in: &turn)
        }
        try send(.content(content), for: id, in: &turn)
    }

    /// Sends a frame that carries nothing: it shows that this side is there (PRIVATE1, `Placeholder`).
    public mutating func sendPlaceholder(_ placeholder: Bytes, in turn: inout Step) throws(Refusal) {
        try send(.placeholder(placeholder), for: nil, in: &turn)
    }

    mutating func send(_ body: ReliableFrame.Body, for content: ContentID?, in turn: inout Step) throws(Refusal) {
        let headRoom = SegmentMessage.overhead + overhead
        let time = nextTime(turn.now)
        let frame = ReliableFrame(timestamp: time.milliseconds, body).encoded(headRoom: headRoom)
        try send(frame: consume frame, at: time, by: segmentation(in: turn), for: content, in: &turn)
    }

    /// Sends an encoded frame, whose first message has a time as its clock.
    ///
    /// - Parameter mayWait: false where the service has just been heard, so that there is a link.
    mutating func send(
        frame: consuming Bytes, at time: Timestamp, by segmentation: Segmentation, for content: ContentID?,
        mayWait: Bool = true, in turn: inout Step
    ) throws(Refusal) {
        let counts = try segmentation.counts(bytes: frame.count)
        let id = Identifier(hex: BLAKE2b.hash(count: Self.idSize, frame.span).span) ?? Identifier()
        var segments = try segmentation.split(consume frame, headRoom: overhead)
        if counts.data == 1, let segment = segments.popLast() {
            try send(consume segment, id: id, at: time, for: content, mayWait: mayWait, in: &turn)
        } else {
            // Refused in the middle, nothing has happened; the copies cost little beside so many bytes.
            var trial = self
            let left = try turn.lend { (turn) throws(Refusal) in
                for index in segments.indices {
                    // Taken out of the list, so that no other reference holds it when it is written to.
                    var segment = Bytes()
                    swap(&segment, &segments[index])
                    let id = Identifier(hex: BLAKE2b.hash(count: Self.idSize, segment.span).span) ?? Identifier()
                    try trial.send(consume segment, id: id, at: time, for: content, mayWait: mayWait, in: &turn)
                }
            }.output
            turn.take(left)
            self = trial
        }
    }

    private mutating func send(
        _ segment: consuming Bytes, id: Identifier, at time: Timestamp, for content: ContentID?, mayWait: Bool,
        in turn: inout Step
    ) throws(Refusal) {
        let draft = try channel.draft(consume segment, id: id, now: time)
        let waits = mayWait && waitsForLink
        if !waits { try transmit(draft.bytes, for: content, in: &turn) }
        var step = SDSStep(now: turn.now)
        channel.commit(draft, tag: content?.number ?? 0, untilLink: waits, in: &step)
        if let content { contents.insert(content, id) }
    }

    /// Whether what is said now is not handed to the inner type yet (SDS-R13). An initiator's first message opens the
    /// conversation and cannot wait; nor does what the inner type would refuse.
    private var waitsForLink: Bool {
        channel.holdsBack && inner.acceptsContent && (role == .responder || channel.log.count > 0)
    }

    /// Bytes of the hashes that name messages: 128 bits (PV1-08).
    static var idSize: Int { 16 }

    /// Segments of what the service takes, at most of what the type says.
    ///
    /// - Parameter limit: fewer bytes than those.
    func segmentation(in turn: borrowing Step, upTo limit: Int = .max) throws(Refusal) -> Segmentation {
        let room = turn.maximumPayload - overhead - SegmentMessage.overhead
        guard room > 0 else {
            let needed = overhead + SegmentMessage.overhead + 1
            throw Refusal(.unable, CommonCause.tooLarge("payload", bytes: needed, limit: turn.maximumPayload))
        }
        return try Segmentation(segmentSize: min(maximumSegment, room, limit))
    }

    /// The time of the next frame and of its first message: later than those of all messages here, and even for the
    /// initiator and odd for the responder, so that no two frames are ever equal.
    func nextTime(_ now: Timestamp) -> Timestamp {
        let earliest = max(now.milliseconds, channel.lamport &+ 1)
        let isOwn = (earliest & 1 == 0) == (role == .initiator)
        return Timestamp(milliseconds: isOwn ? earliest : earliest &+ 1)
    }

    /// Hands a message to the inner type; what it sends counts for the content, if that is new.
    mutating func transmit(_ bytes: Bytes, for content: ContentID?, in turn: inout Step) throws(Refusal) {
        var left = try turn.lend { (turn) throws(Refusal) in
            try inner.perform(.send(bytes), as: content ?? Self.noContent, in: &turn)
        }.output
        // This stage knows better than the inner type what became of a message.
        left.events.removeAll { if case .status = $0 { true } else { false } }
        if content == nil {
            for index in left.sends.indices { left.sends[index].content = nil }
            for index in left.openings.indices { left.openings[index].content = nil }
        }
        turn.take(left)
    }

    /// For messages that carry no new content; the client's ids begin at 1.
    private static var noContent: ContentID { ContentID(0) }

    /// When something is due here or in the inner machine.
    public var nextWake: Timestamp? {
        .earliest(inner.nextWake, .earliest(channel.nextWake, reassembler.nextSweep))
    }
}

extension SDSMessage {
    /// The most bytes that a message with these settings adds to its content; ids have 32.
    static func maximumOverhead(_ names: ReliableNames, _ settings: SDSSettings) -> Int {
        let id = 2 * 16 + 2
        let entry = id + 3 + (settings.repair?.namesSenders == true ? Identifier.maximumCount + 3 : 0)
        let entries = settings.historyLength + settings.frontierLength + (settings.repair?.requests ?? 0)
        let filter = settings.filter.map { BloomFilter($0).encoded().count + 4 } ?? 0
        return names.own.count + names.channel.count + id + 3 * 3 + 11 + entries * entry + filter + 8
    }
}
