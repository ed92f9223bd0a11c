import ChatModel
import ChatWire
import GRPCCore
import PacketStream

/// A run: steps that send each other packets through this hub.
///
/// A step has a receipt for a packet when all steps that get it are done with it, so that a hub which stops or is
/// killed loses nothing: what has no receipt is sent again.
actor HubRun {
    let name: String
    private let settings: HubSettings
    private let log: Log
    private let sendsBack: PacketV1
    private var steps: [String: HubStep] = [:]
    private var owners = StreamOwners()
    private var isClosed = false
    /// What was counted of steps that left for good.
    private var gone = Counters()
    /// Packets that came before anybody was there to get them.
    private var unrouted: [(packet: Packet, key: PacketKey?, origin: String, size: Int)] = []

    init(_ name: String, _ settings: HubSettings, _ log: Log) {
        (self.name, self.settings, self.log) = (name, settings, log)
        sendsBack = PacketV1(settings.mode)
        for name in Set(settings.routes.flatMap { [$0.from, $0.to] }) { steps[name] = HubStep(name, settings) }
    }

    /// A connector of a step opens a stream of packets, or its control stream.
    func join(_ name: String, _ connector: String, port: PacketPort?) throws -> Session {
        guard !isClosed else {
            throw RPCError(code: .unavailable, message: "the run was idle and is forgotten; come again")
        }
        let step = try step(name)
        try flushUnrouted(to: step)
        let session = step.join(connector, port: port, now: Clock.now)
        if port == nil {
            let stated = settings.statesCapabilities ? "required" : "none"
            step.direct(ControlMessage(.ready, metadata: [PacketHandshake.capabilitiesKey: stated]), to: session)
            if settings.statesCapabilities { step.direct(capabilities, to: session) }
        }
        log("joined", fields(session) + [("stream", .string(port?.rawValue ?? "control"))])
        step.ringPorts()
        return session
    }

    private var capabilities: ControlMessage {
        ControlMessage(
            .capabilities,
            metadata: [
                "mode": settings.mode.rawValue, "semantics": settings.semantics.rawValue,
                "messages": String(settings.maximumMessages), "bytes": String(settings.maximumBytes),
            ])
    }

    private func step(_ name: String) throws -> HubStep {
        if let step = steps[name] { return step }
        guard settings.routes.isEmpty else {
            throw RPCError(code: .failedPrecondition, message: "no route of this hub names the step \(name)")
        }
        guard steps.count < min(settings.maximumSteps, settings.maximumDownstreams + 1) else {
            throw RPCError(
                code: .resourceExhausted,
                message: "the run has \(steps.count) steps, and each may have \(settings.maximumDownstreams) others")
        }
        let step = HubStep(name, settings)
        steps[name] = step
        return step
    }

    private func flushUnrouted(to step: HubStep) throws {
        let waiting = unrouted.filter { $0.origin != step.name }
        unrouted.removeAll { $0.origin != step.name }
        for (packet, key, origin, _) in waiting {
            if let key { steps[origin]?.addAwaiting(step.name, for: key) }
            do { try step.offer(packet, key, from: origin) } catch { throw RPCError(error) }
        }
    }

    /// A connection is over.
    func leave(_ session: Session) {
        let step = steps[session.step]
        step?.leave(session)
        session.end()
        if let step, step.hasStopped, step.connections.isEmpty, step.waiting == 0 {
            gone.add(step.counters)
            steps[step.name] = nil
        }
        log("left", fields(session))
    }

    private func targets(of name: String) -> [HubStep] {
        guard !settings.routes.isEmpty else { return steps.values.filter { $0.name != name && !$0.hasStopped } }
        return settings.routes.filter { $0.from == name }.compactMap { steps[$0.to] }
    }

    /// Whether no more packets are to be read from a step for now.
    func isOverloaded(_ session: Session) -> Bool { steps[session.step]?.isOverloaded ?? false }

    /// Whether no more directives are.
    func isFlooded(_ session: Session) -> Bool { steps[session.step]?.isFlooded(session) ?? false }

    private func fields(_ session: Session) -> [(String, JSON)] {
        [
            ("run", .string(name)), ("step", .string(session.step)), ("connector", .string(session.connector)),
            ("generation", JSON(session.generation)),
        ]
    }

    /// What was refused is counted and told, and changes nothing.
    private func refuse(_ violation: PacketViolation, of session: Session) -> RPCError {
        steps[session.step]?.counters.refused[violation.code, default: 0] += 1
        log("refused", fields(session) + [("rule", .string(violation.code)), ("why", .string(violation.description))])
        return RPCError(violation)
    }
}

// Packets.
extension HubRun {
    /// A message comes on a stream of packets.
    func receive(_ bytes: ChatModel.Bytes, on port: PacketPort, of session: Session) throws {
        guard let step = steps[session.step] else { return }
        do {
            try step.check(session)
            let message = try port.decode(bytes, .toHub)
            if let flow = message.flow { try step.receive(flow) }
            guard let packet = message.packet else { return }
            try checkOwner(of: packet, step)
            let events = try step.receiver.receive(packet, now: Clock.now)
            step.counters.received += 1
            step.counters.receivedBytes += packet.contentSize
            try handle(events, of: step)
        } catch let violation as PacketViolation {
            throw refuse(violation, of: session)
        }
    }

    private func checkOwner(of packet: WirePacket, _ step: HubStep) throws {
        guard let stream = packet.stream?.stream, !stream.isEmpty else { return }
        guard owners.owner(of: stream, or: step.name) != step.name else { return }
        throw RPCError(
            code: .failedPrecondition, message: "PS-14: another step of the run numbers the stream \(stream)")
    }

    private func handle(_ events: [PacketReceiver.Event], of step: HubStep) throws {
        for event in events {
            switch event {
            case .deliver(let delivery): try route(delivery, of: step)
            case .control(let message): step.direct(message)
            case .flow(let flow): step.grant(flow)
            case .gap(_, _, let missing), .lost(_, _, let missing): step.counters.gaps += Int(clamping: missing)
            case .endSession(let reason):
                step.present?.session.end(RPCError(code: .aborted, message: "the session ends: \(reason)"))
            }
        }
    }

    private func route(_ delivery: PacketReceiver.Delivery, of step: HubStep) throws {
        let targets = targets(of: step.name)
        if targets.isEmpty, !settings.routes.isEmpty {
            step.receiver.release(delivery)
            throw RPCError(code: .failedPrecondition, message: "no route of this hub begins at \(step.name)")
        }
        // What SDKs of today write is read in interop mode, and may be something that nobody may write.
        do { _ = try sendsBack.wire(delivery.packet) } catch {
            step.receiver.release(delivery)
            throw error
        }
        let key = delivery.key.flatMap { $0.hasReceipt && settings.semantics == .atLeastOnce ? $0 : nil }
        if let key, step.expect(delivery, key, by: Set(targets.map(\.name))) { return }
        for target in targets { try target.offer(delivery.packet, key, from: step.name) }
        if targets.isEmpty { park(delivery, key, step) }
        if key == nil { try handle(step.receiver.done(delivery, now: Clock.now), of: step) }
    }

    /// Nobody is there yet: the packet waits. It is dropped where its sender waits for no receipt, and as many or as
    /// large ones wait already as may wait for a step.
    private func park(_ delivery: PacketReceiver.Delivery, _ key: PacketKey?, _ step: HubStep) {
        let bytes = unrouted.reduce(delivery.size) { $0 + $1.size }
        guard key != nil || (unrouted.count < settings.maximumMessages && bytes <= settings.maximumBytes) else {
            step.counters.dropped += 1
            return
        }
        unrouted.append((delivery.packet, key, step.name, delivery.size))
    }

    /// What leaves on a stream of packets.
    func leaving(on port: PacketPort, for session: Session) throws -> [ProcessMessage] {
        guard let step = steps[session.step], !session.isOver else { return [] }
        do { return try step.leaving(for: session, now: Clock.now) } catch { throw RPCError(error) }
    }

    /// Does what is due.
    func tick() {
        let now = Clock.now
        for step in steps.values {
            step.expire(now)
            do { try handle(step.receiver.wake(now), of: step) } catch {
                step.present?.session.end((error as? PacketViolation).map { RPCError($0) } ?? error as? RPCError)
            }
            if let wake = step.nextWake, wake <= now { step.ringPorts() }
        }
    }
}

// Directives.
extension HubRun {
    /// A message comes on a control stream; each but an `ack` is answered.
    func direct(_ bytes: ChatModel.Bytes, of session: Session) throws {
        guard let step = steps[session.step] else { return }
        do {
            let message = try ControlMessage(decoding: bytes, as: .request)
            try message.check()
            if let flow = message.flow { try step.receive(flow) }
            let reason = try obey(message, of: step, session)
            if let answer = message.ack(handled: reason == nil, reason: reason ?? "") {
                step.direct(answer, to: session)
            }
        } catch let violation as PacketViolation {
            throw refuse(violation, of: session)
        }
    }

    /// Why a directive was not obeyed; nil where it was.
    private func obey(_ message: ControlMessage, of step: HubStep, _ session: Session) throws -> String? {
        if message.name == PacketStream.Receipt.action {
            guard let receipt = PacketStream.Receipt(message) else { return "it names no packet that is counted" }
            try confirm(receipt, by: step)
            return nil
        }
        switch ControlAction(name: message.name) {
        case .ack, .noop, .heartbeat, .start, .startUpstream, .startDownstream: return nil
        case .draining, .cutover, .handedOver:
            guard step.handOver(message, from: session) else { return "it is out of its turn" }
            log("handover", fields(session) + [("directive", .string(message.name))])
            return nil
        case .stop:
            guard step.waiting == 0 else { return "\(step.waiting) packets wait for the step" }
            guard step.awaited.isEmpty else { return "\(step.awaited.count) of its packets have no receipt" }
            // Where routes are given the step stays known, and packets wait for its return.
            if settings.routes.isEmpty { step.hasStopped = true }
            return nil
        case .error:
            log("step_error", fields(session) + [("code", JSON(Int(message.failure?.code ?? 0)))])
            return nil
        default: return "this hub does not know it"
        }
    }

    private func confirm(_ receipt: PacketStream.Receipt, by step: HubStep) throws {
        guard let origin = try step.confirm(receipt), let sender = steps[origin],
            let delivery = sender.settle(receipt.key, by: step.name)
        else { return }
        try handle(sender.receiver.done(delivery, now: Clock.now), of: sender)
    }

    /// What leaves on a control stream.
    func directives(for session: Session) -> [ControlMessage] {
        steps[session.step]?.takeDirectives(for: session) ?? []
    }
}

// What an operator sees.
extension HubRun {
    /// Whether nobody is there, and nothing waits.
    private var isIdle: Bool {
        unrouted.isEmpty
            && steps.values.allSatisfy { $0.connections.isEmpty && $0.waiting == 0 && $0.awaited.isEmpty }
    }

    /// Forgets the run, if nobody is there and nothing waits: whoever comes now has to come again.
    func closeIfIdle() -> Bool {
        isClosed = isClosed || isIdle
        return isClosed
    }

    /// What was counted and what waits, step by step, and without a name of those that left.
    var statistics: [(step: String, counters: Counters, waiting: Int, unconfirmed: Int)] {
        steps.values.sorted { $0.name < $1.name }.map { ($0.name, $0.counters, $0.waiting, $0.awaited.count) }
            + [("", gone, 0, 0)]
    }

    /// Ends all sessions: the hub stops.
    func stop() {
        let reason = RPCError(code: .unavailable, message: "the hub stops; its packets are sent again later")
        for step in steps.values { for connection in step.connections.values { connection.session.end(reason) } }
    }
}
