import ChatModel

/// A step as its hub knows it: what it sent and others are not done with, what waits for it, and its connections.
///
/// Belongs to one ``PacketHub``, which alone uses it.
struct HubStep: Sendable {
    typealias Session = PacketHub.Session
    typealias Effects = [PacketHub.Effect]

    /// A packet of this step that went to others.
    struct Awaited: Sendable {
        var delivery: PacketReceiver.Delivery
        /// Who is not done with it.
        var steps: Set<String>
    }

    /// A connection: a stream of packets, a control stream, or both.
    struct Connection: Sendable {
        let session: Session
        let since: Timestamp
        /// Whether its stream of packets is open, and carries flow control too.
        var hasPackets = false, carriesFlow = false
        var hasControl = false
        /// Whether it was ended, and has not left yet.
        var isOver = false
        /// Directives that have not left yet.
        var directives: [ControlMessage] = []
    }

    let name: String
    let settings: HubSettings
    var counters = HubCounters()
    /// Whether it said that it leaves for good, so that nothing more waits for it.
    var hasStopped = false
    private(set) var handover = ConnectorHandover()
    private(set) var connections: [UInt64: Connection] = [:]
    var receiver: PacketReceiver
    private(set) var sender: PacketSender
    /// Packets for which the sender has no room yet.
    private(set) var backlog: [OutgoingPacket] = []
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
    mutating func join(
        _ connector: String, _ opening: PacketHub.Opening, id: UInt64, now: Timestamp, _ effects: inout Effects
    ) -> Session {
        let begun = connections.first { _, connection in
            connection.session.connector == connector && !connection.isOver
                && (opening == .control ? !connection.hasControl : !connection.hasPackets)
        }
        let generation = begun?.key ?? nextGeneration(&effects)
        let session =
            begun?.value.session ?? Session(step: name, connector: connector, generation: generation, id: id)
        var connection = begun?.value ?? Connection(session: session, since: now)
        switch opening {
        case .packets(let carriesFlow): (connection.hasPackets, connection.carriesFlow) = (true, carriesFlow)
        case .control: connection.hasControl = true
        }
        if begun == nil { counters.sessions += 1 }
        connections[generation] = connection
        hasStopped = false
        return session
    }

    private mutating func nextGeneration(_ effects: inout Effects) -> UInt64 {
        if handover.phase == .steady {
            end(handover.generation, "another connector of \(name) took its place", &effects)
            if counters.sessions > 0 { handover.lost() }
            beginSession()
            return handover.generation
        }
        let next = handover.generation &+ 1
        end(next, "another connector of \(name) came instead", &effects)
        return next
    }

    /// A connection is replaced.
    private mutating func end(_ generation: UInt64, _ why: String, _ effects: inout Effects) {
        guard let replaced = connections.removeValue(forKey: generation) else { return }
        effects.append(.end(replaced.session, PacketHub.Refusal(.aborted, why)))
    }

    /// The connection that counts has to end; it stays until it left.
    mutating func endPresent(_ reason: PacketHub.Refusal, _ effects: inout Effects) {
        end(handover.generation, reason, &effects)
    }

    mutating func endAll(_ reason: PacketHub.Refusal, _ effects: inout Effects) {
        for generation in connections.keys { end(generation, reason, &effects) }
    }

    private mutating func end(_ generation: UInt64, _ reason: PacketHub.Refusal, _ effects: inout Effects) {
        guard let connection = connections[generation], !connection.isOver else { return }
        connections[generation]?.isOver = true
        effects.append(.end(connection.session, reason))
    }

    /// The transport of a connection is gone.
    mutating func close(_ session: Session) {
        guard connections[session.generation]?.session == session else { return }
        connections[session.generation]?.isOver = true
    }

    /// What has no receipt is sent again, and comes again.
    private mutating func beginSession() {
        sender.reconnect()
        receiver.reconnect()
        (flow, isPaused) = (nil, false)
    }

    /// A connection is over. Where the present one is lost during a hand-over, the next one counts at once.
    mutating func leave(_ session: Session, _ effects: inout Effects) {
        guard connections[session.generation]?.session == session else { return }
        connections[session.generation] = nil
        guard session.generation == handover.generation, handover.phase != .steady else { return }
        guard let next = connections[handover.generation &+ 1] else { return }
        handover.lost()
        beginSession()
        effects.append(.wake(next.session, .packets))
    }

    /// A directive of a hand-over.
    ///
    /// - Returns: whether it had its turn.
    mutating func handOver(_ message: ControlMessage, from session: Session, _ effects: inout Effects) -> Bool {
        let before = handover.generation
        guard handover.receive(message, from: session.generation) else { return false }
        if handover.generation != before {
            let rule = PacketViolation(.tooEarly, "is superseded", at: "connector generation")
            if let old = connections.removeValue(forKey: before) {
                effects.append(.end(old.session, PacketHub.Refusal(rule)))
            }
            sender.reconnect()
        }
        wakePorts(&effects)
        return true
    }

    /// Refuses what comes from a connector that does not count, or before its control stream (SA-61).
    func check(_ session: Session) throws(PacketViolation) {
        try handover.check(session.generation)
        guard let connection = connections[session.generation], connection.session == session, !connection.isOver else {
            throw PacketViolation(.tooEarly, "is superseded", at: "connector generation")
        }
        guard connection.hasControl else {
            throw PacketViolation(.tooEarly, "a packet comes before the control stream is open")
        }
    }

    /// Connections whose start takes too long (SA-60).
    mutating func expire(_ now: Timestamp, _ effects: inout Effects) {
        for (generation, connection) in connections where !connection.hasPackets || !connection.hasControl {
            guard now.since(connection.since) >= settings.handshakeLimit else { continue }
            let missing = connection.hasControl ? "no stream of packets" : "no control stream"
            let violation = PacketViolation(.handshake, "\(missing) was opened in time")
            end(generation, PacketHub.Refusal(violation), &effects)
        }
    }

    func wakePorts(_ effects: inout Effects) {
        for connection in connections.values { effects.append(.wake(connection.session, .packets)) }
    }

    /// The step leaves for good, unless something waits for it or for others: then why not.
    mutating func stop(isForgotten: Bool) -> String? {
        guard waiting == 0 else { return "\(waiting) packets wait for the step" }
        guard awaited.isEmpty else { return "\(awaited.count) of its packets have no receipt" }
        // Where routes are given the step stays known, and packets wait for its return.
        if isForgotten { hasStopped = true }
        return nil
    }
}

// What waits for the step.
extension HubStep {
    /// Takes a packet of another step; one that waits already is not taken twice.
    ///
    /// - Parameter key: tells it apart where its sender waits for a receipt. One without has no promise, and is dropped
    ///   where there is no room.
    mutating func offer(_ packet: OutgoingPacket, _ key: PacketKey?, from origin: String, _ effects: inout Effects) {
        if let key {
            guard origins.updateValue(origin, forKey: key) == nil else { return }
        }
        if backlog.isEmpty, send(packet) { return wakePorts(&effects) }
        if key == nil { counters.dropped += 1 } else { backlog.append(packet) }
    }

    /// Whether the sender had room for it, or dropped something as it should.
    private mutating func send(_ packet: OutgoingPacket) -> Bool {
        switch sender.send(packet) {
        case .full: return false
        case .accepted: break
        case .dropped: counters.dropped += 1
        case .acceptedInstead(_, let dropped): counters.dropped += dropped
        }
        return true
    }

    /// The step is done with a packet. It counts once the step is done with all before it, so that a hub or a step that
    /// restarts and remembers nothing finds no hole in what comes again.
    ///
    /// - Returns: the packets that count now, and who sent them.
    mutating func confirm(_ receipt: Receipt, _ effects: inout Effects) -> [(key: PacketKey, origin: String)] {
        counters.confirmed += 1
        let counted = sender.receiveInOrder(receipt).compactMap { key in
            origins.removeValue(forKey: key).map { (key: key, origin: $0) }
        }
        drain()
        if sender.hasUnsent { wakePorts(&effects) }
        return counted
    }

    private mutating func drain() {
        var taken = 0
        while taken < backlog.count, send(backlog[taken]) { taken += 1 }
        backlog.removeFirst(taken)
    }

    /// Credits, or a pause.
    mutating func receive(_ flow: FlowControl, _ effects: inout Effects) throws(PacketViolation) {
        try sender.receive(flow)
        if sender.hasUnsent { wakePorts(&effects) }
    }

    /// When packets without a receipt are to be sent again.
    var nextWake: Timestamp? { sender.nextWake }

    /// What leaves on a connection's stream of packets.
    mutating func leaving(for session: Session, now: Timestamp) -> [ProcessMessage] {
        var messages: [ProcessMessage] = []
        guard let connection = connections[session.generation], connection.session == session, !connection.isOver else {
            return messages
        }
        if handover.target == session.generation, connection.hasControl {
            messages = sender.take(now: now).map { ProcessMessage(packet: $0) }
            counters.sent += messages.count
            counters.sentBytes += messages.reduce(0) { $0 + ($1.packet?.contentSize ?? 0) }
            if settings.semantics == .bestEffort { drain() }
        }
        guard session.generation == handover.generation, connection.carriesFlow, let flow else { return messages }
        self.flow = nil
        return messages + [ProcessMessage(flow: flow)]
    }
}

// What the step sent.
extension HubStep {
    /// A packet goes to others; true if it went to them before, and came again.
    mutating func expect(
        _ delivery: PacketReceiver.Delivery, _ key: PacketKey, by steps: Set<String>, _ effects: inout Effects
    ) -> Bool {
        if let earlier = awaited[key] {
            awaitedBytes += delivery.size - earlier.delivery.size
            awaited[key]?.delivery = delivery
            return true
        }
        awaited[key] = Awaited(delivery: delivery, steps: steps)
        awaitedBytes += delivery.size
        updatePause(&effects)
        return false
    }

    /// Others get it as well: it waited until there was somebody.
    mutating func addAwaiting(_ step: String, for key: PacketKey) {
        awaited[key]?.steps.insert(step)
    }

    /// A step is done with one of its packets: the delivery, once all are.
    mutating func settle(_ key: PacketKey, by step: String, _ effects: inout Effects) -> PacketReceiver.Delivery? {
        let wasOverloaded = isOverloaded
        guard awaited[key]?.steps.remove(step) != nil, awaited[key]?.steps.isEmpty == true,
            let one = awaited.removeValue(forKey: key)
        else { return nil }
        awaitedBytes -= one.delivery.size
        updatePause(&effects)
        if wasOverloaded, !isOverloaded {
            for connection in connections.values { effects.append(.wake(connection.session, .packetRoom)) }
        }
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
    private mutating func updatePause(_ effects: inout Effects) {
        let percent = max(
            awaited.count * 100 / max(1, settings.maximumMessages), awaitedBytes * 100 / max(1, settings.maximumBytes))
        if !isPaused, percent >= 90 {
            isPaused = true
            grant(FlowControl(signal: .pause), &effects)
        } else if isPaused, percent <= 50 {
            isPaused = false
            grant(FlowControl(signal: .resume), &effects)
        }
    }

    /// Flow control for the step, on the stream that has it.
    mutating func grant(_ more: FlowControl, _ effects: inout Effects) {
        flow = more.adding(flow)
        guard let present, present.hasPackets else { return }
        if present.carriesFlow { return effects.append(.wake(present.session, .packets)) }
        let message = ControlMessage(.noop, flow: flow)
        flow = nil
        direct(message, &effects)
    }

    /// A directive for the present connection.
    mutating func direct(_ message: ControlMessage, _ effects: inout Effects) {
        if let session = present?.session { direct(message, to: session, &effects) }
    }

    mutating func direct(_ message: ControlMessage, to session: Session, _ effects: inout Effects) {
        guard connections[session.generation]?.session == session else { return }
        connections[session.generation]?.directives.append(message)
        effects.append(.wake(session, .directives))
    }

    /// The directives that leave on a connection's control stream.
    mutating func takeDirectives(for session: Session, _ effects: inout Effects) -> [ControlMessage] {
        guard let connection = connections[session.generation], connection.session == session,
            !connection.directives.isEmpty
        else { return [] }
        connections[session.generation]?.directives = []
        effects.append(.wake(session, .directiveRoom))
        counters.receipts += connection.directives.count { $0.customAction == Receipt.action }
        return connection.directives
    }
}
