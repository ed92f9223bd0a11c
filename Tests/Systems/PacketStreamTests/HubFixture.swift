import ChatCodec
import ChatModel
import PacketStream

/// A hub and steps whose connections carry everything at once: for tests of one turn after the other.
struct HubFixture {
    private struct Step {
        var session: PacketHub.Session
        var sender: PacketSender, receiver: PacketReceiver
        /// What came and is not done yet.
        var application: [PacketReceiver.Delivery] = []
    }

    private let settings: HubSettings
    var hub: PacketHub
    private var steps: [String: Step] = [:]
    private var connectors = 0
    var now = Timestamp(milliseconds: 1_000)

    init(_ routes: [String] = [], _ change: (inout HubSettings) -> Void = { _ in }) {
        var settings = HubSettings()
        settings.routes = routes.compactMap { HubSettings.Route($0) }
        change(&settings)
        self.settings = settings
        hub = PacketHub(settings)
    }

    /// A step comes, or comes again: it remembers what it was done with, and sends again what has no receipt.
    mutating func join(_ names: String...) throws {
        for name in names {
            connectors += 1
            _ = try hub.join(name, "connector-\(connectors)", .packets(carriesFlow: true), now: now)
            let session = try hub.join(name, "connector-\(connectors)", .control, now: now)
            var step =
                steps[name]
                ?? Step(
                    session: session, sender: PacketSender(settings.upstream),
                    receiver: PacketReceiver(settings.upstream))
            step.session = session
            step.sender.reconnect()
            step.receiver.reconnect()
            step.application = []
            steps[name] = step
        }
    }

    /// A step's process ends, and the next one remembers nothing.
    mutating func forget(_ name: String) { steps[name] = nil }

    /// The session of a step.
    func session(_ name: String) throws -> PacketHub.Session {
        guard let step = steps[name] else { throw Missing(name: name) }
        return step.session
    }

    /// The hub is killed and starts again; nobody is connected.
    mutating func restart() { hub = PacketHub(settings) }

    /// A step hands in a packet.
    mutating func send(_ id: String, from name: String) throws -> PacketSender.Acceptance? {
        let packet = Packet(messageID: id, payload: [:], stream: StreamEnvelope(stream: "\(name)/s"))
        return try steps[name]?.sender.send(packet)
    }

    /// Everything that steps and hub have for each other goes, until there is nothing more.
    mutating func settle() throws {
        for _ in 0..<8 {
            for name in steps.keys.sorted() { try exchange(name) }
        }
    }

    private mutating func exchange(_ name: String) throws {
        guard var step = steps[name] else { return }
        for packet in step.sender.take(now: now) {
            _ = try hub.receive(ProcessMessage(packet: packet), from: step.session, now: now)
        }
        for message in hub.leaving(for: step.session, now: now) {
            if let flow = message.flow { try step.sender.receive(flow) }
            guard let packet = message.packet else { continue }
            try handle(try step.receiver.receive(packet, now: now), &step)
        }
        for directive in hub.directives(for: step.session) {
            if let receipt = Receipt(directive) { _ = step.sender.receive(receipt) }
        }
        steps[name] = step
    }

    private mutating func handle(_ events: [PacketReceiver.Event], _ step: inout Step) throws {
        for event in events {
            switch event {
            case .deliver(let delivery): step.application.append(delivery)
            case .control(let directive): _ = try hub.receive(directive, from: step.session, now: now)
            case .flow(let flow): _ = try hub.receive(ProcessMessage(flow: flow), from: step.session, now: now)
            case .gap, .lost, .endSession: throw Missing(name: "\(event)")
            }
        }
    }

    /// The packets that a step has and is not done with.
    func waiting(at name: String) -> [String] {
        steps[name]?.application.compactMap(\.packet.messageID) ?? []
    }

    /// How many packets of a step have no receipt.
    func unconfirmed(of name: String) -> Int { steps[name]?.sender.waiting.packets ?? 0 }

    /// A step is done with what it has, and its word arrives.
    mutating func finish(_ name: String) throws {
        guard var step = steps[name] else { return }
        let deliveries = step.application
        step.application = []
        for delivery in deliveries { try handle(step.receiver.done(delivery, now: now), &step) }
        steps[name] = step
        try settle()
    }

    private struct Missing: Error { let name: String }
}
