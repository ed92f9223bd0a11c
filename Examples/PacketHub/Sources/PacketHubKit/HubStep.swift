import ChatModel
import GRPCCore
import PacketStream

/// A step as its hub knows it: what it sent and others are not done with, what waits for it, and its connections.
///
/// Belongs to one ``HubRun``, which alone uses it.
final class HubStep {
    /// A packet of this step that went to others.
    struct Awaited {
        var delivery: PacketReceiver.Delivery
        /// Who is not done with it.
        var steps: Set<String>
    }

    /// A connection: a stream of packets, a control stream, or both.
    struct Connection {
        let session: Session
        let since: Timestamp
        var port: PacketPort?
        var hasControl = false
        /// Directives that have not left yet.
        var directives: [ControlMessage] = []
    }

    let name: String
    let settings: HubSettings
    var counters = Counters()
    /// Whether it said that it leaves for good, so that nothing more waits for it.
    var hasStopped = false
    private(set) var handover = ConnectorHandover()
    private(set) var connections: [UInt64: Connection] = [:]
    var receiver: PacketReceiver
    private(set) var sender: PacketSender
    /// Packets for which the sender has no room yet.
    private(set) var backlog: [Packet] = []
    /// Who sent what waits for this step.
    private(set) var origins: [PacketKey: String] = [:]
    private(set) var awaited: [PacketKey: Awaited] = [:]
    private var awaitedBytes = 0
    private var flow: FlowControl?
    private var isPaused = false

    init(_ name: String, _ settings: HubSettings) {
        (self.name, self.settings) = (name, settings)
        let codec = PacketV1(settings.mode)
        receiver = PacketReceiver(settings.upstream, codec: codec)
        sender = PacketSender(settings.downstream, codec: codec)
    }

    /// What waits for it, sent or not.
    var waiting: Int { sender.waiting.packets + backlog.count }

    /// The connection that counts.
    var present: Connection? { connections[handover.generation] }
}

// Connections.
extension HubStep {
    /// A connector opens a stream: it joins the connection that it has begun, or begins one.
    ///
    /// A second connector takes the first one's place, at once or, where a hand-over began, when it says so.
    func join(_ connector: String, port: PacketPort?, now: Timestamp) -> Session {
        let begun = connections.first { _, connection in
            connection.session.connector == connector && !connection.session.isOver
                && (port == nil ? !connection.hasControl : connection.port == nil)
        }
        let generation = begun?.key ?? nextGeneration()
        let session = begun?.value.session ?? Session(step: name, connector: connector, generation: generation)
        var connection = begun?.value ?? Connection(session: session, since: now)
        if let port { connection.port = port } else { connection.hasControl = true }
        if begun == nil { counters.sessions += 1 }
        connections[generation] = connection
        hasStopped = false
        return session
    }

    private func nextGeneration() -> UInt64 {
        if handover.phase == .steady {
            if let present {
                present.session.end(RPCError(code: .aborted, message: "another connector of \(name) took its place"))
                connections[handover.generation] = nil
            }
            if counters.sessions > 0 { handover.lost() }
            beginSession()
            return handover.generation
        }
        let next = handover.generation &+ 1
        connections[next]?.session.end(RPCError(code: .aborted, message: "another connector of \(name) came instead"))
        return next
    }

    /// What has no receipt is sent again, and comes again.
    private func beginSession() {
        sender.reconnect()
        receiver.reconnect()
        (flow, isPaused) = (nil, false)
    }

    /// A connection is over. Where the present one is lost during a hand-over, the next one counts at once.
    func leave(_ session: Session) {
        guard connections[session.generation]?.session === session else { return }
        connections[session.generation] = nil
        guard session.generation == handover.generation, handover.phase != .steady else { return }
        guard let next = connections[handover.generation &+ 1] else { return }
        handover.lost()
        beginSession()
        next.session.port.ring()
    }

    /// A directive of a hand-over.
    ///
    /// - Returns: whether it had its turn.
    func handOver(_ message: ControlMessage, from session: Session) -> Bool {
        let before = handover.generation
        guard handover.receive(message, from: session.generation) else { return false }
        if handover.generation != before {
            let rule = PacketViolation(.tooEarly, "is superseded", at: "connector generation")
            connections.removeValue(forKey: before)?.session.end(RPCError(rule))
            sender.reconnect()
        }
        ringPorts()
        return true
    }

    /// Refuses what comes from a connector that does not count, or before its control stream (SA-61).
    func check(_ session: Session) throws(PacketViolation) {
        try handover.check(session.generation)
        guard let connection = connections[session.generation], connection.session === session else {
            throw PacketViolation(.tooEarly, "is superseded", at: "connector generation")
        }
        guard connection.hasControl else {
            throw PacketViolation(.tooEarly, "a packet comes before the control stream is open")
        }
    }

    /// Connections whose start takes too long (SA-60).
    func expire(_ now: Timestamp) {
        for connection in connections.values where connection.port == nil || !connection.hasControl {
            guard now.since(connection.since) >= settings.handshakeLimit else { continue }
            let missing = connection.hasControl ? "no stream of packets" : "no control stream"
            connection.session.end(RPCError(PacketViolation(.handshake, "\(missing) was opened in time")))
        }
    }

    func ringPorts() {
        for connection in connections.values { connection.session.port.ring() }
    }
}

// What waits for the step.
extension HubStep {
    /// Takes a packet of another step; one that waits already is not taken twice.
    ///
    /// - Parameter key: tells it apart where its sender waits for a receipt. One without has no promise, and is dropped
    ///   where there is no room.
    func offer(_ packet: Packet, _ key: PacketKey?, from origin: String) throws(PacketViolation) {
        if let key {
            guard origins.updateValue(origin, forKey: key) == nil else { return }
        }
        if backlog.isEmpty, try send(packet) { return ringPorts() }
        if key == nil { counters.dropped += 1 } else { backlog.append(packet) }
    }

    /// Whether the sender had room for it, or dropped something as it should.
    private func send(_ packet: Packet) throws(PacketViolation) -> Bool {
        switch try sender.send(packet) {
        case .full: return false
        case .accepted: break
        case .dropped: counters.dropped += 1
        case .acceptedInstead(_, let dropped): counters.dropped += dropped
        }
        return true
    }

    /// The step is done with a packet: who sent it, unless nobody waits for that.
    func confirm(_ receipt: PacketStream.Receipt) throws(PacketViolation) -> String? {
        counters.confirmed += 1
        _ = sender.receive(receipt)
        defer { ringPorts() }
        try drain()
        return origins.removeValue(forKey: receipt.key)
    }

    private func drain() throws(PacketViolation) {
        var taken = 0
        while taken < backlog.count, try send(backlog[taken]) { taken += 1 }
        backlog.removeFirst(taken)
    }

    /// Credits, or a pause.
    func receive(_ flow: FlowControl) throws(PacketViolation) {
        try sender.receive(flow)
        ringPorts()
    }

    /// When packets without a receipt are to be sent again.
    var nextWake: Timestamp? { sender.nextWake }

    /// What leaves on a connection's stream of packets.
    func leaving(for session: Session, now: Timestamp) throws(PacketViolation) -> [ProcessMessage] {
        var messages: [ProcessMessage] = []
        if handover.target == session.generation, connections[session.generation]?.hasControl == true {
            messages = sender.take(now: now).map { ProcessMessage(packet: $0) }
            counters.sent += messages.count
            counters.sentBytes += messages.reduce(0) { $0 + ($1.packet?.contentSize ?? 0) }
            if settings.semantics == .bestEffort { try drain() }
        }
        guard session.generation == handover.generation, let port = connections[session.generation]?.port,
            port.carriesFlow, let flow
        else { return messages }
        self.flow = nil
        return messages + [ProcessMessage(flow: flow)]
    }
}

// What the step sent.
extension HubStep {
    /// A packet goes to others; true if it went to them before, and came again.
    func expect(_ delivery: PacketReceiver.Delivery, _ key: PacketKey, by steps: Set<String>) -> Bool {
        if awaited[key] != nil {
            awaited[key]?.delivery = delivery
            return true
        }
        awaited[key] = Awaited(delivery: delivery, steps: steps)
        awaitedBytes += delivery.size
        updatePause()
        return false
    }

    /// Others get it as well: it waited until there was somebody.
    func addAwaiting(_ step: String, for key: PacketKey) {
        awaited[key]?.steps.insert(step)
    }

    /// A step is done with one of its packets: the delivery, once all are.
    func settle(_ key: PacketKey, by step: String) -> PacketReceiver.Delivery? {
        guard awaited[key]?.steps.remove(step) != nil, awaited[key]?.steps.isEmpty == true,
            let one = awaited.removeValue(forKey: key)
        else { return nil }
        awaitedBytes -= one.delivery.size
        updatePause()
        return one.delivery
    }

    /// Whether no more packets are read from it for a while: it ignores credits and pauses, or they are huge.
    ///
    /// Its control stream is read on, so that receipts for packets of others come through whatever waits here.
    var isOverloaded: Bool {
        awaited.count > 2 * settings.maximumMessages
            || awaitedBytes > max(settings.maximumBytes, Int(Bounds.maximumTotal))
    }

    /// Whether a connection does not read the answers to its directives, so that no more of them are read.
    func isFlooded(_ session: Session) -> Bool {
        (connections[session.generation]?.directives.count ?? 0) > 1_024
    }

    /// A pause from 90 % of what it may have under way on, and its end at 50 %.
    private func updatePause() {
        let percent = max(
            awaited.count * 100 / settings.maximumMessages, awaitedBytes * 100 / max(1, settings.maximumBytes))
        if !isPaused, percent >= 90 {
            isPaused = true
            grant(FlowControl(signal: .pause))
        } else if isPaused, percent <= 50 {
            isPaused = false
            grant(FlowControl(signal: .resume))
        }
        if !isOverloaded { for connection in connections.values { connection.session.portRoom.ring() } }
    }

    /// Flow control for the step, on the stream that has it.
    func grant(_ more: FlowControl) {
        flow = more.adding(flow)
        guard let present, let port = present.port else { return }
        if port.carriesFlow { return present.session.port.ring() }
        self.flow = nil
        direct(ControlMessage(.noop, flow: flow))
    }

    /// A directive for the present connection.
    func direct(_ message: ControlMessage) {
        if let present { direct(message, to: present.session) }
    }

    func direct(_ message: ControlMessage, to session: Session) {
        connections[session.generation]?.directives.append(message)
        session.control.ring()
    }

    /// The directives that leave on a connection's control stream.
    func takeDirectives(for session: Session) -> [ControlMessage] {
        guard let directives = connections[session.generation]?.directives, !directives.isEmpty else { return [] }
        connections[session.generation]?.directives = []
        session.controlRoom.ring()
        counters.receipts += directives.count { $0.customAction == PacketStream.Receipt.action }
        return directives
    }
}
