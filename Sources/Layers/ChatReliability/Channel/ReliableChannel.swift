import ChatCodec
import ChatCrypto
public import ChatModel

/// A reliable channel among any number of participants on one delivery address: RELIABLE-CHANNEL-API as a value
/// without I/O (`Specs/reliable-channel.md`).
///
/// Outbound: segments, SDS, encryption, rate limit, dispatch; inbound the other way (RC-01). Whoever drives it
/// publishes what ``takeDispatches(now:)`` gives, says with ``didDispatch(_:hint:)`` what became of it, hands over
/// what comes, wakes it at ``nextWake(now:)``, and stores ``takeChanges()`` before anything leaves (RC-03).
public struct ReliableChannel: Sendable {
    /// Names one ``send(_:now:)``.
    public struct RequestID: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// Counts up from 1.
        public let number: UInt64

        /// Orders by age, oldest first.
        public static func < (left: RequestID, right: RequestID) -> Bool { left.number < right.number }

        /// The number in decimal.
        public var description: String { String(number) }
    }

    /// A payload to publish.
    public struct Dispatch: Sendable, Hashable {
        /// Names the segment: `R:1` to `R:N` for request R; nil for what belongs to none.
        public let id: String?
        /// The SDS message in it, for which a hint may be given.
        public let message: Identifier
        /// The payload to publish.
        public let payload: Payload
        let request: RequestID?
    }

    /// An event of the channel.
    public enum Event: Sendable, Hashable {
        /// A content arrived, in causal order (`reliable:message:received`).
        case received(Content, sender: String)
        /// Every segment is with the service (`reliable:message:sent`).
        case sent(RequestID)
        /// Every segment is acknowledged (`reliable:message:delivered`).
        case delivered(RequestID)
        /// The service refused a segment for good (`reliable:message:send-error`).
        case sendError(RequestID, String)
        /// A segment was sent as often as allowed, and not acknowledged (`reliable:message:delivery-error`).
        case deliveryError(RequestID, String)
        /// A segment is missing; with a hint, it may be had from the service (RC-06).
        case missing(id: String, hint: Bytes?)
        /// It is given up; or an unfinished content is, for which there is no room, named by its Keccak-256.
        case lost(id: String)
        /// Payloads published since a time may have been missed: fetch them (RC-07).
        case fetch(since: Timestamp)
        /// Something came that was refused; it changed nothing.
        case refused(Refusal)
    }

    /// How far a request came.
    public struct Progress: Sendable, Hashable {
        /// Segments with the service, acknowledged, and in all.
        public let dispatched, acknowledged, total: Int
    }

    /// Whether everything that is known of is here.
    public enum Status: Sendable, Hashable {
        /// It is.
        case synced
        /// So many were received, are missing, and were given up.
        case syncing(received: Int, missing: Int, lost: Int)
    }

    /// The delivery address, and the own name, which is stored (RC-08).
    public let address: DeliveryAddress
    /// The own name among the participants.
    public let senderID: String
    let configuration: ChannelConfiguration
    let segmentation: Segmentation
    var channel: SDSChannel
    var reassembler: Reassembler
    var quota: EpochQuota?
    var requests: [RequestID: Request] = [:]
    /// Which request a segment's message belongs to.
    var owners: [Identifier: RequestID] = [:]
    var queue: [Dispatch] = []
    var lastRequest: UInt64 = 0
    /// The last time that went into an id, in nanoseconds.
    var lastNanoseconds: UInt64 = 0
    var events: [Event] = []
    var lostCount = 0
    var changes = Changes()

    /// One content on its way.
    struct Request: Sendable {
        var ids: [Identifier]
        var dispatched: Set<Identifier> = []
        var acknowledged: Set<Identifier> = []
    }

    /// The records to be stored beside the parts' own.
    struct Changes: Sendable {
        var state = true
        var requests: Set<RequestID> = []
    }

    /// Creates a channel that nothing is known of yet.
    ///
    /// - Parameters:
    ///   - id: the channel's name, at most 255 bytes.
    ///   - address: the delivery address.
    ///   - senderID: differs from those of all other participants; nil draws 16 random bytes (RC-08).
    ///   - configuration: the constants of the channel.
    ///   - random: the source of randomness.
    ///   - now: the current time.
    public init(
        _ id: String, on address: DeliveryAddress, senderID: String? = nil,
        _ configuration: ChannelConfiguration = ChannelConfiguration(), random: inout any RandomSource, now: Timestamp
    ) throws(Refusal) {
        let name = senderID ?? hex(random.bytes(16, for: .identifier))
        guard let sender = Identifier(name), sender.count > 0, let channelID = Identifier(id) else {
            let limit = Identifier.maximumCount
            throw Refusal(
                .unable, CommonCause.tooLarge("name", bytes: max(name.utf8.count, id.utf8.count), limit: limit))
        }
        let channel = SDSChannel(
            sender, channel: channelID, settings: configuration.sds, now: now, joinsLate: true,
            prefix: Self.channelPrefix)
        try self.init(address, configuration, channel, Reassembler(limits: ChannelConfiguration.reassembly))
        events.append(.fetch(since: now))
    }

    init(
        _ address: DeliveryAddress, _ configuration: ChannelConfiguration, _ channel: SDSChannel,
        _ reassembler: Reassembler
    ) throws(Refusal) {
        (self.address, self.configuration, self.channel) = (address, configuration, channel)
        self.reassembler = reassembler
        segmentation = try configuration.segmentation()
        senderID = channel.participant.text
        quota = configuration.rateLimit.map { EpochQuota($0) }
    }

    /// How many take part, which says how many may answer a repair request.
    public var participants: Int {
        get { channel.participants }
        set { channel.participants = newValue }
    }

    /// Sends a content to all participants.
    ///
    /// - Throws: `unable` for an empty one, for one of more than 255 segments, and where too much is on its way.
    public mutating func send(_ content: Content, now: Timestamp) throws(Refusal) -> RequestID {
        guard !content.isEmpty else { throw Refusal(.unable, ReliabilityCause.emptyMessage) }
        let (saved, savedQueue) = (channel, queue)
        let request = RequestID(number: lastRequest + 1)
        do throws(Refusal) {
            var ids: [Identifier] = []
            for segment in try segmentation.split(content) {
                let id = messageID(segment, now)
                let draft = try channel.draft(segment, id: id, now: now)
                let payload = try encrypted(draft.bytes)
                var step = SDSStep(now: now)
                channel.commit(draft, tag: request.number, in: &step)
                channel.hold(id)
                ids.append(id)
                queue.append(Dispatch(id: "\(request):\(ids.count)", message: id, payload: payload, request: request))
            }
            insert(Request(ids: ids), request)
        } catch {
            (channel, queue) = (saved, savedQueue)
            throw error
        }
        lastRequest = request.number
        (changes.state, _) = (true, changes.requests.insert(request))
        return request
    }

    mutating func insert(_ request: Request, _ id: RequestID) {
        requests[id] = request
        for message in request.ids { owners[message] = id }
    }

    /// Sends ephemeral content in one payload: not acknowledged and not sent again (SDS-14). False where the quota is
    /// nearly used up.
    public mutating func sendEphemeral(_ content: Content, now: Timestamp) throws(Refusal) -> Bool {
        guard content.count <= segmentation.segmentSize else {
            let limit = segmentation.segmentSize
            throw Refusal(.unable, CommonCause.tooLarge("ephemeral content", bytes: content.count, limit: limit))
        }
        if let quota, quota.isNearlyUsed(now) { return false }
        var step = SDSStep(now: now)
        channel.ephemeral(content, id: messageID(content, now), in: &step)
        enqueue(step)
        return true
    }

    /// Keccak-256 over sender, time in nanoseconds, and content (RC-02); no two have the same time.
    private mutating func messageID(_ content: Bytes, _ now: Timestamp) -> Identifier {
        let (nanoseconds, overflow) = now.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        lastNanoseconds = max(overflow ? .max : nanoseconds, lastNanoseconds &+ 1)
        let time = stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: lastNanoseconds >> $0) }
        let bytes = Array(senderID.utf8) + time + content.array
        return Identifier(hex: Keccak256.hash(bytes.span).span) ?? Identifier()
    }

    /// How far a request came; nil once it is delivered or failed.
    public func progress(of request: RequestID) -> Progress? {
        guard let request = requests[request] else { return nil }
        return Progress(
            dispatched: request.dispatched.count, acknowledged: request.acknowledged.count, total: request.ids.count)
    }

    /// Whether everything that is known of is here.
    public var status: Status {
        let missing = channel.missing.count
        guard missing > 0 || lostCount > 0 else { return .synced }
        return .syncing(received: channel.order.count, missing: missing, lost: lostCount)
    }

    /// When to call ``wake(now:)`` or ``takeDispatches(now:)``; nil while there is nothing to do.
    public func nextWake(now: Timestamp) -> Timestamp? {
        let dispatch = queue.isEmpty ? nil : quota?.next(now) ?? now
        return [channel.nextWake, reassembler.nextSweep, dispatch].compactMap(\.self).min()
    }

    /// The events since the last call.
    public mutating func takeEvents() -> [Event] {
        defer { events.removeAll() }
        return events
    }
}
