import ChatModel
import GRPCCore
import PacketStream

/// Bytes as they are: messages are encoded and decoded by `PacketStream`, so gRPC sees bytes alone.
struct BytesCoding: MessageSerializer, MessageDeserializer {
    func serialize<Wire: GRPCContiguousBytes>(_ message: ChatModel.Bytes) throws -> Wire {
        Wire(message.array)
    }

    func deserialize<Wire: GRPCContiguousBytes>(_ wire: Wire) throws -> ChatModel.Bytes {
        unsafe wire.withUnsafeBytes { source in unsafe ChatModel.Bytes(copying: Span(_unsafeBytes: source)) }
    }
}

/// The streams of the contract that carry packets, and how each numbers their fields.
package enum PacketPort: String, Sendable, CaseIterable {
    /// `HubService.Process`: a step at its hub; packets and flow control.
    case process
    /// `TransportConnectorService.Data`: a step at its connector; flow control travels on the control stream.
    case data
    /// `TransportConnectorService.HubPush`: a connector at its hub; flow control travels on the control stream.
    case push

    /// The service and method.
    var method: MethodDescriptor {
        switch self {
        case .process: Self.method("HubService", "Process")
        case .data: Self.method("TransportConnectorService", "Data")
        case .push: Self.method("TransportConnectorService", "HubPush")
        }
    }

    /// The stream of directives beside it.
    static let control = method("TransportConnectorService", "Control")

    private static func method(_ service: String, _ method: String) -> MethodDescriptor {
        MethodDescriptor(
            service: ServiceDescriptor(package: "transport.v1", service: service), method: method,
            type: .bidirectionalStreaming)
    }

    /// Whether flow control travels beside the packets.
    var carriesFlow: Bool { self == .process }

    /// Whose messages are meant.
    enum Direction: Sendable {
        /// What the caller sends.
        case toHub
        /// What the hub sends.
        case fromHub
    }

    private func message(_ direction: Direction) -> PacketMessage {
        switch (self, direction) {
        case (.process, _): .dataPacket
        case (.data, .toHub): .dataRequest
        case (.data, .fromHub): .dataResponse
        case (.push, .toHub): .hubPushRequest
        case (.push, .fromHub): .hubPushResponse
        }
    }

    func decode(_ bytes: ChatModel.Bytes, _ direction: Direction) throws(PacketViolation) -> ProcessMessage {
        guard self != .process else { return try ProcessMessage(decoding: bytes) }
        return ProcessMessage(packet: try WirePacket(decoding: bytes, as: message(direction)))
    }

    func encode(_ message: ProcessMessage, _ direction: Direction) -> ChatModel.Bytes {
        guard self != .process else { return message.encoded }
        return message.packet?.encoded(as: self.message(direction)) ?? []
    }
}

/// The keys of a stream's metadata.
enum StreamKey {
    static let namespace = "storyrun-namespace", run = "storyrun-name", step = "current-step-id"
    /// Which connector of a step opened the stream; without it, the connection tells connectors apart.
    static let connector = "bubu.transport.connector"
    static let authorization = "authorization"
    /// In the trailers of a refusal: the rule that was broken.
    static let rule = "bubu-rule"
}

extension RPCError {
    /// A packet or directive that breaks a rule: not to be tried again as it is.
    init(_ violation: PacketViolation) {
        let isStart = violation.rule == .handshake || violation.rule == .tooEarly
        var trailers = GRPCCore.Metadata()
        trailers.addString(violation.code, forKey: StreamKey.rule)
        self.init(
            code: isStart ? .failedPrecondition : .invalidArgument, message: violation.description, metadata: trailers)
    }
}

extension RPCError {
    /// What a hub refused, or why it ends a session.
    init(_ refusal: PacketHub.Refusal) {
        switch refusal.reason {
        case .rule(let violation): self.init(violation)
        case .unavailable: self.init(code: .unavailable, message: refusal.description)
        case .notAllowed: self.init(code: .failedPrecondition, message: refusal.description)
        case .full: self.init(code: .resourceExhausted, message: refusal.description)
        case .aborted: self.init(code: .aborted, message: refusal.description)
        }
    }
}

/// The clock of the machines: milliseconds since the process began to look.
enum Clock {
    private static let start = ContinuousClock.now

    static var now: Timestamp { Timestamp.zero + (ContinuousClock.now - start) }
}
