import ChatModel

/// The start of a session (SA-60, SA-61): the connector says that it is ready and, where it announced them, what it can
/// do; only then packets are read and written.
public struct PacketHandshake: Hashable, Sendable {
    /// The version of the transport protocol, which both sides state and which must be the same (D6).
    public static let protocolVersion = "1.0.0"
    /// The metadata of a stream that states it.
    public static let protocolKey = "bubu-transport-protocol"
    /// The metadata of a stream that names the binding, as namespace and name with a slash between them.
    public static let bindingKey = "bubu.transport.binding"
    /// The metadata of `connector.ready` that says whether capabilities follow.
    public static let capabilitiesKey = "startup.capabilities"
    /// How long the handshake may take in all.
    public static let limit = Duration.seconds(30)

    /// How far the start is.
    public enum Phase: Hashable, Sendable {
        /// `connector.ready` has not come.
        case waitingForReady
        /// `connector.capabilities` has not come.
        case waitingForCapabilities
        /// Packets are read and written.
        case running
    }

    /// How far the start is.
    public private(set) var phase = Phase.waitingForReady
    /// What the connector said that it can do.
    public private(set) var capabilities: Metadata?
    private var hasPackets = false

    /// Nothing came yet.
    public init() {}

    /// Whether packets may come.
    public var isRunning: Bool { phase == .running }

    /// The version that the other side states in the metadata of its stream; blanks around it do not count.
    public func check(protocol version: String?) throws(PacketViolation) {
        guard !hasPackets else { throw PacketViolation(.handshake, "comes behind the first packet", at: "protocol") }
        guard let version else { throw PacketViolation(.handshake, "is not stated", at: "protocol") }
        guard Self.trimmed(version) == Self.protocolVersion else {
            throw PacketViolation(
                .handshake, "is \(version.prefix(64)), here it is \(Self.protocolVersion)", at: "protocol")
        }
    }

    /// A directive of the connector; those that do not belong to the start change nothing.
    public mutating func receive(_ message: ControlMessage) throws(PacketViolation) {
        do { try message.check() } catch { throw PacketViolation(.tooEarly, error.description, at: "control") }
        switch ControlAction(name: message.name) {
        case .ready: try ready(message)
        case .capabilities: hear(message.metadata)
        default: break
        }
    }

    private mutating func ready(_ message: ControlMessage) throws(PacketViolation) {
        let stated = message.metadata[Self.capabilitiesKey].map(Text.folded)
        guard let stated else { throw PacketViolation(.handshake, "is missing", at: Self.capabilitiesKey) }
        guard stated == "required" || stated == "none" else {
            throw PacketViolation(.handshake, "is \(stated.prefix(64))", at: Self.capabilitiesKey)
        }
        guard phase == .waitingForReady else { return }
        phase = stated == "none" || capabilities != nil ? .running : .waitingForCapabilities
    }

    private mutating func hear(_ metadata: Metadata) {
        capabilities = metadata
        if phase == .waitingForCapabilities { phase = .running }
    }

    /// A packet comes.
    public mutating func packet() throws(PacketViolation) {
        guard isRunning else { throw PacketViolation(.tooEarly, "a packet comes before the handshake is done") }
        hasPackets = true
    }

    private static func trimmed(_ text: String) -> String {
        var scalars = text.unicodeScalars[...]
        while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() }
        while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        return String(String.UnicodeScalarView(scalars))
    }
}
