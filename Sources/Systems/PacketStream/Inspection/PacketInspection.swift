import ChatCodec
public import ChatModel

/// What each mode makes of a captured message, which rule it breaks, and who would have to change what for the contract
/// to hold (sections 5.5 and 11 of `Specs/packet-stream.md`).
public struct PacketInspection: Hashable, Sendable {
    /// The messages in which a packet is captured.
    public enum Message: Hashable, Sendable {
        /// One of the six with a packet's fields.
        case packet(PacketMessage)
        /// `ProcessRequest` or `ProcessResponse`, with a packet inside.
        case process
        /// `ControlRequest` or `ControlResponse`, a directive.
        case control

        /// Those with packets, in the order in which they are tried; those that are numbered alike are tried once.
        public static let distinct: [Message] = [
            .packet(.dataPacket), .packet(.dataRequest), .packet(.hubPushRequest), .process,
        ]

        /// The message of a name, for example `DataPacket`.
        public init?(name: String) {
            if ["ProcessRequest", "ProcessResponse", "ProcessMessage"].contains(name) {
                self = .process
            } else if ["ControlRequest", "ControlResponse", "ControlMessage"].contains(name) {
                self = .control
            } else if let message = PacketMessage(rawValue: name) {
                self = .packet(message)
            } else {
                return nil
            }
        }

        /// The name of the contract.
        public var name: String {
            switch self {
            case .packet(let message): message.rawValue
            case .process: "ProcessMessage"
            case .control: "ControlMessage"
            }
        }
    }

    /// What one mode makes of it.
    public enum Verdict: Hashable, Sendable {
        /// A packet.
        case packet(Packet, [PacketV1.Diagnostic])
        /// A piece of one, whose other pieces say the rest.
        case chunk(StreamEnvelope)
        /// A heartbeat as SDK 0.1.5 sends it.
        case legacyHeartbeat
        /// Flow control without a packet.
        case flow(FlowControl)
        /// A directive of a control stream, which both modes read alike.
        case control(ControlMessage)
        /// Nothing: a rule is broken.
        case refused(PacketViolation)

        /// The rule that is broken.
        public var violation: PacketViolation? { if case .refused(let violation) = self { violation } else { nil } }
    }

    /// What the bytes were read as.
    public let message: Message
    /// How many there are.
    public let size: Int
    /// What the contract makes of it.
    public let canonical: Verdict
    /// What is made of it where packets of bubu-sdk-go 0.1.5 are read too.
    public let interop: Verdict
    /// Whether an envelope has headers beside it that say the same again, which nobody may write (SA-26).
    public let hasShadow: Bool

    /// Inspects a message; nil for whatever reads furthest.
    public init(_ bytes: Bytes, as message: Message? = nil) {
        guard let message else {
            if let directive = try? ControlMessage(decoding: bytes, as: .response), directive.isCertain {
                self = PacketInspection(bytes, as: .control)
                return
            }
            let all = Message.distinct.map { PacketInspection(bytes, as: $0) }
            self = all.dropFirst().reduce(all[0]) { $1.progress > $0.progress ? $1 : $0 }
            return
        }
        self.message = message
        size = bytes.count
        do throws(PacketViolation) {
            switch try Self.read(bytes, message) {
            case .packet(let packet):
                (canonical, interop) = (Self.verdict(packet, .canonical), Self.verdict(packet, .interop))
                hasShadow = Self.hasShadow(packet)
            case .other(let verdict): (canonical, interop, hasShadow) = (verdict, verdict, false)
            }
        } catch {
            (canonical, interop, hasShadow) = (.refused(error), .refused(error), false)
        }
    }

    /// A message before the rules of packets.
    private enum Read {
        case packet(WirePacket)
        case other(Verdict)
    }

    private static func read(_ bytes: Bytes, _ message: Message) throws(PacketViolation) -> Read {
        switch message {
        case .packet(let message): return .packet(try WirePacket(decoding: bytes, as: message))
        case .process:
            let process = try ProcessMessage(decoding: bytes)
            try process.flow?.check()
            if let packet = process.packet { return .packet(packet) }
            guard let flow = process.flow else {
                throw PacketViolation(.wire, "has neither a packet nor flow control")
            }
            return .other(.flow(flow))
        case .control:
            let directive = try ControlMessage(decoding: bytes, as: .response)
            try directive.checkAlone()
            return .other(.control(directive))
        }
    }

    private static func verdict(_ packet: WirePacket, _ mode: PacketMode) -> Verdict {
        do throws(PacketViolation) {
            switch try PacketV1(mode).decode(packet) {
            case .packet(let view, let diagnostics): return .packet(view, diagnostics)
            case .chunk(let chunk): return .chunk(chunk.stream)
            case .legacyHeartbeat: return .legacyHeartbeat
            }
        } catch {
            return .refused(error)
        }
    }

    private static func hasShadow(_ packet: WirePacket) -> Bool {
        guard case .binary(let frame)? = packet.frame, MediaType(frame.mimeType).isReserved else { return false }
        return Shadow(packet.metadata).visible.count < packet.metadata.count
    }

    /// How far it reads: as the contract has it, as SDKs write it, as a message that breaks a rule, not at all.
    private var progress: Int {
        switch (canonical.violation?.rule, interop.violation?.rule) {
        case (nil, _): 3
        case (_, nil): 2
        case (.wire, _): 0
        default: 1
        }
    }

    /// Who would have to change what; empty for what the contract has.
    public var changes: [PacketChange] {
        guard let violation = canonical.violation else { return hasShadow ? PacketChange.forShadowKeys : [] }
        return PacketChange.changes(for: violation.rule)
    }
}
