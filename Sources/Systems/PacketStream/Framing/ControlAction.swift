/// What a control stream asks for; numbers are those of the wire, names those of the contract.
public enum ControlAction: Int32, Hashable, Sendable, CaseIterable {
    /// Nothing.
    case noop = 1
    /// Begin.
    case start = 2
    /// End.
    case stop = 3
    /// Begin with one direction, or end it.
    case startUpstream = 4
    /// End what comes from steps before.
    case stopUpstream = 5
    /// Begin what goes to steps behind.
    case startDownstream = 6
    /// End what goes to steps behind.
    case stopDownstream = 7
    /// A sign of life, each 30 s.
    case heartbeat = 8
    /// The connector is there, and says whether it will state capabilities.
    case ready = 9
    /// What the connector can do.
    case capabilities = 10
    /// A connector takes no more packets, because another one replaces it.
    case draining = 11
    /// The other one takes over.
    case cutover = 12
    /// The other one runs.
    case handedOver = 13
    /// The answer to a directive.
    case ack = 14
    /// Something went wrong.
    case error = 15
    /// A codec was chosen.
    case codecSelect = 16

    /// The name of the contract.
    public var name: String {
        switch self {
        case .noop: "noop"
        case .start: "start"
        case .stop: "stop"
        case .startUpstream: "start-upstream"
        case .stopUpstream: "stop-upstream"
        case .startDownstream: "start-downstream"
        case .stopDownstream: "stop-downstream"
        case .heartbeat: "heartbeat"
        case .ready: "connector.ready"
        case .capabilities: "connector.capabilities"
        case .draining: "handoff.draining"
        case .cutover: "handoff.cutover"
        case .handedOver: "handoff.ready"
        case .ack: "ack"
        case .error: "error"
        case .codecSelect: "codec-select"
        }
    }

    /// The action of a name.
    public init?(name: String) {
        guard let action = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = action
    }
}
