import ChatCodec
import ChatCrypto
public import ChatModel

/// The framing `packet-v1`: what any conversation says travels as opaque bytes of a `DataPacket`, which nobody on the way
/// may look into or put anything beside (D5); what ``PacketChat`` says is a packet already.
///
/// The stream is the route, the sequence the route's (PS-12). A hub sees packets of its contract, and an end-to-end
/// encrypted conversation in them.
public struct PacketFraming: FramingStrategy {
    /// The MIME type of payloads.
    public static let mimeType = "application/octet-stream"
    /// The MIME type of a payload without bytes, for which one byte stands: a frame is never empty.
    public static let emptyMimeType = "application/vnd.chat-framework.empty"
    /// The metadata key of routes whose id is longer than a stream's may be.
    static let routeKey = "route"
    /// What is added to a payload without headers, at most: tags and lengths, the MIME type, the stream envelope, and a
    /// long route in the metadata.
    static let overhead = 2 * 6 + 2 + emptyMimeType.utf8.count + 3 + 3 + Bounds.maximumStream + 11 + 280

    private var table = ListeningTable()
    private let codec: PacketV1

    /// A framing that reads packets of a mode.
    public init(_ mode: PacketMode = .canonical) {
        codec = PacketV1(mode)
    }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: codec.mode == .canonical ? "packet-v1" : "packet-v1-interop",
            summary: "A packet of the streaming contract for each payload.",
            claims: [
                Claim(.unlinkability, "PS-12", holds: false, "the route is the packet's stream, in clear"),
                Claim(.recipientPrivacy, "PS-12", holds: false, "the route is in clear"),
            ])
    }

    /// Fields stand before and behind a payload, so each is copied once.
    public var headRoom: Int { 0 }

    /// A packet's frame has 10 MiB at most.
    public func maximumPayload(within bytes: Int) -> Int { max(0, min(bytes - Self.overhead, Bounds.maximumFrame)) }

    /// Replaces what an owner listens to.
    public mutating func listen(_ listening: [Listening], for owner: Owner) {
        table.listen(listening, for: owner)
    }

    /// Puts a payload into a packet; headers become metadata, and those that metadata cannot carry are refused.
    public mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        let payload: Payload
        do throws(PacketViolation) {
            payload = PacketChat.isRoute(routed.route) ? try checked(routed) : try opaque(routed)
        } catch { throw Refusal(.unable, error) }
        return Addressed(
            routed.address, payload: payload, replyAddress: routed.replyAddress, ending: routed.ending)
    }

    /// A packet of a chat is sent as it is, if it is one and names its route.
    private func checked(_ routed: borrowing Routed) throws(PacketViolation) -> Payload {
        if let header = routed.headers.first {
            throw PacketViolation(.oneCarrier, "has header \(header.name), which a packet has itself")
        }
        guard case .packet(let packet, _) = try codec.decode(routed.payload, as: .dataPacket),
            packet.stream?.stream.hasSameBytes(as: routed.route.id) == true
        else { throw PacketViolation(.stream, "is no packet of its route", at: ".envelope.stream_id") }
        return routed.payload
    }

    private func opaque(_ routed: borrowing Routed) throws(PacketViolation) -> Payload {
        let (id, isEmpty) = (routed.route.id, routed.payload.isEmpty)
        var metadata = Metadata()
        for header in routed.headers {
            guard metadata[header.name] == nil, !header.name.hasSameBytes(as: Self.routeKey) else {
                throw PacketViolation(.metadata, "has header \(header.name) twice, or reserved", at: ".metadata")
            }
            metadata[header.name] = header.value
        }
        var stream = StreamEnvelope(stream: id, sequence: routed.sequence)
        if id.utf8.count > Bounds.maximumStream {
            stream.stream = Hex.encode(BLAKE2b.hash(count: 16, Array(id.utf8)))
            metadata[Self.routeKey] = id
        }
        let bytes = Packet.OpaqueBytes(
            isEmpty ? [0] : routed.payload, mimeType: isEmpty ? Self.emptyMimeType : Self.mimeType)
        return try codec.encode(Packet(metadata: metadata, stream: stream, carrier: .opaque(bytes)), as: .dataPacket)
    }

    /// Finds the payload, and whose it is by the stream.
    public func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        let decoded: PacketV1.Decoded
        do throws(PacketViolation) { decoded = try codec.decode(addressed.payload, as: .dataPacket) } catch {
            throw Refusal(.invalid, error)
        }
        guard case .packet(let packet, _) = decoded else {
            if decoded == .legacyHeartbeat { return .idle }
            throw Refusal(.unsupported, PacketViolation(.chunk, "are put together by a stream's receiver, not here"))
        }
        guard packet.isDelivered else { return .idle }
        let route = packet.metadata[Self.routeKey] ?? packet.stream?.stream
        guard let route, let entry = table[addressed.address, route] else { return .foreign }
        var routed = Routed(
            addressed.address, entry.route, payload: addressed.payload, replyAddress: addressed.replyAddress,
            ending: addressed.ending)
        if !PacketChat.isRoute(entry.route) {
            routed.sequence = packet.stream?.sequence ?? 0
            guard case .opaque(let bytes) = packet.carrier else {
                throw Refusal(
                    .unsupported, PacketViolation(.oneCarrier, "is not opaque, as payloads of this route are"))
            }
            routed.payload = bytes.mimeType == Self.emptyMimeType ? [] : bytes.bytes
            routed.headers = packet.metadata.removing { $0.key.hasSameBytes(as: Self.routeKey) }.entries.map {
                Header($0.key, $0.value)
            }
        }
        return .payload(routed, for: entry.owner)
    }
}
