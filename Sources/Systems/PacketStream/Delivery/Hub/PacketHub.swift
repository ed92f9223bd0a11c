public import ChatModel

/// A run of a hub: steps that send each other packets through it (section 8.6 of `Specs/packet-stream.md`).
///
/// A pure machine. A step has a receipt for a packet when all steps that get it are done with it, so that a hub which
/// stops or is killed loses nothing: what has no receipt is sent again. Who runs it hands in what comes, asks
/// ``leaving(for:now:)`` and ``directives(for:)`` for what goes, and does what ``takeEffects()`` says.
public struct PacketHub: Sendable {
    /// What an operator decided.
    public let settings: HubSettings
    let codec: PacketV1
    var steps: [String: HubStep] = [:]
    private var owners = StreamOwners()
    private var isClosed = false
    /// What was counted of steps that left for good.
    private var gone = HubCounters()
    /// Packets that came before anybody was there to get them.
    private var unrouted: [(packet: OutgoingPacket, key: PacketKey?, origin: String)] = []
    private var effects: [Effect] = []
    private var lastID: UInt64 = 0

    /// A run with nobody in it yet.
    public init(_ settings: HubSettings = HubSettings()) {
        self.settings = settings
        codec = PacketV1(settings.mode)
        for name in Set(settings.routes.flatMap { [$0.from, $0.to] }) { steps[name] = HubStep(name, settings) }
    }

    /// What is to be done now, in its order; it is handed out once.
    public mutating func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }
}

// Sessions.
extension PacketHub {
    /// A connector of a step opens a stream of packets, or its control stream; both are one session.
    public mutating func join(
        _ name: String, _ connector: String, _ opening: Opening, now: Timestamp
    ) throws(Refusal) -> Session {
        guard !isClosed else { throw Refusal(.unavailable, "the run was idle and is forgotten; come again") }
        try addStep(name)
        lastID &+= 1
        guard let session = steps[name]?.join(connector, opening, id: lastID, now: now, &effects) else {
            throw Refusal(.unavailable, "the step \(name) is not known")
        }
        flushUnrouted(to: name)
        if opening == .control {
            for directive in greeting { steps[name]?.direct(directive, to: session, &effects) }
        }
        steps[name]?.wakePorts(&effects)
        return session
    }

    /// What a hub says first on a control stream.
    private var greeting: [ControlMessage] {
        let stated = settings.statesCapabilities ? "required" : "none"
        let ready = ControlMessage(.ready, metadata: [PacketHandshake.capabilitiesKey: stated])
        guard settings.statesCapabilities else { return [ready] }
        let capabilities = [
            "mode": settings.mode.rawValue, "semantics": settings.semantics.rawValue,
            "messages": String(settings.maximumMessages), "bytes": String(settings.maximumBytes),
        ]
        let metadata = Metadata(capabilities.map { ($0.key, $0.value) })
        return [ready, ControlMessage(.capabilities, metadata: metadata)]
    }

    private mutating func addStep(_ name: String) throws(Refusal) {
        guard steps[name] == nil else { return }
        guard settings.routes.isEmpty else {
            throw Refusal(.notAllowed, "no route of this hub names the step \(name)")
        }
        guard steps.count < min(settings.maximumSteps, settings.maximumDownstreams + 1) else {
            throw Refusal(
                .full, "the run has \(steps.count) steps, and each may have \(settings.maximumDownstreams) others")
        }
        steps[name] = HubStep(name, settings)
    }

    private mutating func flushUnrouted(to name: String) {
        guard !unrouted.isEmpty else { return }
        let waiting = unrouted.filter { $0.origin != name }
        unrouted.removeAll { $0.origin != name }
        for (packet, key, origin) in waiting {
            if let key { steps[origin]?.addAwaiting(name, for: key) }
            steps[name]?.offer(packet, key, from: origin, &effects)
        }
    }

    /// The transport of a session is gone; it takes nothing more, until ``leave(_:)``.
    public mutating func close(_ session: Session) {
        steps[session.step]?.close(session)
    }

    /// A session is over.
    public mutating func leave(_ session: Session) {
        steps[session.step]?.leave(session, &effects)
        guard let step = steps[session.step], step.hasStopped, step.connections.isEmpty, step.waiting == 0 else {
            return
        }
        gone.add(step.counters)
        steps[session.step] = nil
    }

    /// Ends all sessions: the hub stops.
    public mutating func stop() {
        let reason = Refusal(.unavailable, "the hub stops; its packets are sent again later")
        for name in Array(steps.keys) { steps[name]?.endAll(reason, &effects) }
    }
}

// Packets.
extension PacketHub {
    /// A message comes on a stream of packets.
    ///
    /// - Returns: whether no more packets are to be read from the session until it is woken for `packetRoom`.
    public mutating func receive(
        _ message: ProcessMessage, from session: Session, now: Timestamp
    ) throws(Refusal) -> Bool {
        let name = session.step
        do throws(PacketViolation) {
            try steps[name]?.check(session)
            if let flow = message.flow { try steps[name]?.receive(flow, &effects) }
        } catch { throw refuse(error, of: session) }
        guard let packet = message.packet else { return isOverloaded(session) }
        try checkOwner(of: packet, name)
        let events: [PacketReceiver.Event]
        do { events = try steps[name]?.receiver.receive(packet, now: now) ?? [] } catch {
            throw refuse(error, of: session)
        }
        steps[name]?.counters.received += 1
        steps[name]?.counters.receivedBytes += packet.contentSize
        try handle(events, of: name, now)
        return isOverloaded(session)
    }

    /// Whether no more packets are to be read from a session for now.
    public func isOverloaded(_ session: Session) -> Bool { steps[session.step]?.isOverloaded ?? false }

    /// A message that was refused before it got here, or here: it is counted, and changes nothing.
    public mutating func refuse(_ violation: PacketViolation, of session: Session) -> Refusal {
        refuse(violation, ofStep: session.step)
    }

    private mutating func refuse(_ violation: PacketViolation, ofStep name: String) -> Refusal {
        steps[name]?.counters.refused[violation.code, default: 0] += 1
        return Refusal(violation)
    }

    private mutating func checkOwner(of packet: WirePacket, _ name: String) throws(Refusal) {
        guard let stream = packet.stream?.stream, !stream.isEmpty else { return }
        guard owners.owner(of: stream, or: name) != name else { return }
        throw Refusal(.notAllowed, "PS-14: another step of the run numbers the stream \(stream)")
    }

    private mutating func handle(
        _ events: [PacketReceiver.Event], of name: String, _ now: Timestamp
    ) throws(Refusal) {
        for event in events {
            switch event {
            case .deliver(let delivery): try route(delivery, of: name, now)
            case .control(let message): steps[name]?.direct(message, &effects)
            case .flow(let flow): steps[name]?.grant(flow, &effects)
            case .gap(_, _, let missing), .lost(_, _, let missing):
                steps[name]?.counters.gaps += Int(clamping: missing)
            case .endSession(let reason):
                steps[name]?.endPresent(Refusal(.aborted, "the session ends: \(reason)"), &effects)
            }
        }
    }

    private func targets(of name: String) -> [String] {
        guard !settings.routes.isEmpty else {
            return steps.keys.filter { $0 != name && steps[$0]?.hasStopped == false }
        }
        return settings.routes.filter { $0.from == name }.map(\.to)
    }

    private mutating func route(
        _ delivery: PacketReceiver.Delivery, of name: String, _ now: Timestamp
    ) throws(Refusal) {
        let targets = targets(of: name)
        if targets.isEmpty, !settings.routes.isEmpty {
            steps[name]?.receiver.release(delivery)
            throw Refusal(.notAllowed, "no route of this hub begins at \(name)")
        }
        // What SDKs of today write is read in interop mode, and may be something that nobody may write.
        let packet: OutgoingPacket
        do { packet = try OutgoingPacket(forwarding: delivery, codec) } catch {
            steps[name]?.receiver.release(delivery)
            throw refuse(error, ofStep: name)
        }
        let key = delivery.key.flatMap { $0.hasReceipt && settings.semantics == .atLeastOnce ? $0 : nil }
        if let key, steps[name]?.expect(delivery, key, by: Set(targets), &effects) == true { return }
        for target in targets { steps[target]?.offer(packet, key, from: name, &effects) }
        if targets.isEmpty { park(packet, key, name) }
        if key == nil { try settle(delivery, of: name, now) }
    }

    /// Nobody is there yet: the packet waits. It is dropped where its sender waits for no receipt, and as many or as
    /// large ones wait already as may wait for a step.
    private mutating func park(_ packet: OutgoingPacket, _ key: PacketKey?, _ name: String) {
        let bytes = unrouted.reduce(packet.size) { $0 + $1.packet.size }
        guard key != nil || (unrouted.count < settings.maximumMessages && bytes <= settings.maximumBytes) else {
            steps[name]?.counters.dropped += 1
            return
        }
        unrouted.append((packet, key, name))
    }

    private mutating func settle(
        _ delivery: PacketReceiver.Delivery, of name: String, _ now: Timestamp
    ) throws(Refusal) {
        try handle(steps[name]?.receiver.done(delivery, now: now) ?? [], of: name, now)
    }

    /// What leaves on a session's stream of packets.
    public mutating func leaving(for session: Session, now: Timestamp) -> [ProcessMessage] {
        steps[session.step]?.leaving(for: session, now: now) ?? []
    }

    /// Does what is due; to be called at least each 100 ms.
    public mutating func tick(now: Timestamp) {
        for name in Array(steps.keys) {
            steps[name]?.expire(now, &effects)
            do throws(Refusal) { try handle(steps[name]?.receiver.wake(now) ?? [], of: name, now) } catch {
                steps[name]?.endPresent(error, &effects)
            }
            if let wake = steps[name]?.nextWake, wake <= now { steps[name]?.wakePorts(&effects) }
        }
    }
}

// Directives.
extension PacketHub {
    /// A message comes on a control stream; each but an `ack` is answered.
    ///
    /// - Returns: whether no more directives are to be read until the session is woken for `directiveRoom`.
    public mutating func receive(
        _ directive: ControlMessage, from session: Session, now: Timestamp
    ) throws(Refusal) -> Bool {
        let name = session.step
        do throws(PacketViolation) {
            try directive.check()
            if let flow = directive.flow { try steps[name]?.receive(flow, &effects) }
        } catch { throw refuse(error, of: session) }
        let reason = try obey(directive, of: session, now)
        if let answer = directive.ack(handled: reason == nil, reason: reason ?? "") {
            steps[name]?.direct(answer, to: session, &effects)
        }
        return isFlooded(session)
    }

    /// Whether no more directives are to be read from a session for now.
    public func isFlooded(_ session: Session) -> Bool { steps[session.step]?.isFlooded(session) ?? false }

    /// Why a directive was not obeyed; nil where it was.
    private mutating func obey(
        _ message: ControlMessage, of session: Session, _ now: Timestamp
    ) throws(Refusal) -> String? {
        let name = session.step
        if message.name == Receipt.action {
            guard let receipt = Receipt(message) else { return "it names no packet that is counted" }
            try confirm(receipt, by: name, now)
            return nil
        }
        switch ControlAction(name: message.name) {
        case .ack, .noop, .heartbeat, .start, .startUpstream, .startDownstream: return nil
        case .draining, .cutover, .handedOver:
            guard steps[name]?.handOver(message, from: session, &effects) == true else {
                return "it is out of its turn"
            }
            effects.append(.handOver(session, message.name))
            return nil
        case .stop: return steps[name]?.stop(isForgotten: settings.routes.isEmpty)
        case .error:
            effects.append(.failed(session, code: message.failure?.code ?? 0))
            return nil
        default: return "this hub does not know it"
        }
    }

    private mutating func confirm(_ receipt: Receipt, by name: String, _ now: Timestamp) throws(Refusal) {
        for (key, origin) in steps[name]?.confirm(receipt, &effects) ?? [] {
            guard let delivery = steps[origin]?.settle(key, by: name, &effects) else { continue }
            try settle(delivery, of: origin, now)
        }
    }

    /// What leaves on a session's control stream.
    public mutating func directives(for session: Session) -> [ControlMessage] {
        steps[session.step]?.takeDirectives(for: session, &effects) ?? []
    }
}

// What an operator sees.
extension PacketHub {
    /// Whether nobody is there, and nothing waits.
    private var isIdle: Bool {
        unrouted.isEmpty
            && steps.values.allSatisfy { $0.connections.isEmpty && $0.waiting == 0 && $0.awaited.isEmpty }
    }

    /// Forgets the run, if nobody is there and nothing waits: whoever comes now has to come again.
    public mutating func closeIfIdle() -> Bool {
        isClosed = isClosed || isIdle
        return isClosed
    }

    /// What was counted and what waits, step by step, and without a name of those that left.
    public var statistics: [(step: String, counters: HubCounters, waiting: Int, unconfirmed: Int)] {
        steps.values.sorted { $0.name < $1.name }.map { ($0.name, $0.counters, $0.waiting, $0.awaited.count) }
            + [("", gone, 0, 0)]
    }
}
