import ChatCodec
import ChatModel
import GRPCCore
import PacketStream
import Synchronization

/// A run: the machine of the framework, the streams of its sessions, and a log of what happens.
///
/// A lock and no actor: what a message needs is short, and to change executors for each would take as long again.
final class HubRun: Sendable {
    let name: String
    private let log: Log
    private let state: Mutex<State>

    private struct State {
        var machine: PacketHub
        var sessions: [UInt64: Session] = [:]
    }

    init(_ name: String, _ settings: HubSettings, _ log: Log) {
        (self.name, self.log) = (name, log)
        state = Mutex(State(machine: PacketHub(settings)))
    }

    /// Uses the machine, and does what it asks for.
    private func change<Value: Sendable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try state.withLock { state throws(Failure) in
            defer { act(&state) }
            return try body(&state)
        }
    }

    /// A connector of a step opens a stream of packets, or its control stream.
    func join(_ name: String, _ connector: String, port: PacketPort?) throws(RPCError) -> Session {
        let opening = port.map { PacketHub.Opening.packets(carriesFlow: $0.carriesFlow) } ?? .control
        return try change { state throws(RPCError) in
            for session in state.sessions.values where session.isOver { state.machine.close(session.place) }
            do throws(PacketHub.Refusal) {
                let place = try state.machine.join(name, connector, opening, now: Clock.now)
                let session = state.sessions[place.id] ?? Session(place)
                state.sessions[place.id] = session
                log("joined", fields(place) + [("stream", .string(port?.rawValue ?? "control"))])
                return session
            } catch { throw RPCError(error) }
        }
    }

    /// A connection is over.
    func leave(_ session: Session) {
        change { state in
            session.end()
            state.machine.leave(session.place)
            guard state.sessions.removeValue(forKey: session.place.id) != nil else { return }
            log("left", fields(session.place))
        }
    }

    private func fields(_ session: PacketHub.Session) -> [(String, JSON)] {
        [
            ("run", .string(name)), ("step", .string(session.step)), ("connector", .string(session.connector)),
            ("generation", JSON(session.generation)),
        ]
    }

    /// What the machine asks for.
    private func act(_ state: inout State) {
        for effect in state.machine.takeEffects() {
            switch effect {
            case .wake(let place, let signal): state.sessions[place.id]?.ring(signal)
            case .end(let place, let reason): state.sessions[place.id]?.end(RPCError(reason))
            case .handOver(let place, let directive):
                log("handover", fields(place) + [("directive", .string(directive))])
            case .failed(let place, let code): log("step_error", fields(place) + [("code", JSON(Int(code)))])
            }
        }
    }

    /// What was refused is told, and changes nothing.
    private func refuse(_ refusal: PacketHub.Refusal, of session: Session) -> RPCError {
        if let violation = refusal.violation {
            let why = [("rule", JSON.string(violation.code)), ("why", .string(violation.description))]
            log("refused", fields(session.place) + why)
        }
        return RPCError(refusal)
    }
}

// Streams.
extension HubRun {
    /// A message comes on a stream of packets.
    ///
    /// - Returns: whether no more packets are to be read from the step for now.
    func receive(_ bytes: ChatModel.Bytes, on port: PacketPort, of session: Session) throws(RPCError) -> Bool {
        let message: ProcessMessage
        do { message = try port.decode(bytes, .toHub) } catch { throw refuse(error, of: session) }
        return try change { state throws(RPCError) in
            do throws(PacketHub.Refusal) {
                return try state.machine.receive(message, from: session.place, now: Clock.now)
            } catch { throw refuse(error, of: session) }
        }
    }

    /// What leaves on a stream of packets.
    func leaving(for session: Session) -> [ProcessMessage] {
        change { $0.machine.leaving(for: session.place, now: Clock.now) }
    }

    /// A message comes on a control stream.
    ///
    /// - Returns: whether no more directives are to be read for now.
    func direct(_ bytes: ChatModel.Bytes, of session: Session) throws(RPCError) -> Bool {
        let directive: ControlMessage
        do { directive = try ControlMessage(decoding: bytes, as: .request) } catch { throw refuse(error, of: session) }
        return try change { state throws(RPCError) in
            do throws(PacketHub.Refusal) {
                return try state.machine.receive(directive, from: session.place, now: Clock.now)
            } catch { throw refuse(error, of: session) }
        }
    }

    /// What could not be decoded is counted, too.
    private func refuse(_ violation: PacketViolation, of session: Session) -> RPCError {
        refuse(change { $0.machine.refuse(violation, of: session.place) }, of: session)
    }

    /// What leaves on a control stream.
    func directives(for session: Session) -> [ControlMessage] {
        change { $0.machine.directives(for: session.place) }
    }

    /// Whether no more packets, or directives, are to be read from a session for now.
    func isOverloaded(_ session: Session) -> Bool { state.withLock { $0.machine.isOverloaded(session.place) } }
    func isFlooded(_ session: Session) -> Bool { state.withLock { $0.machine.isFlooded(session.place) } }
}

// What an operator does.
extension HubRun {
    /// Does what is due.
    func tick() { change { $0.machine.tick(now: Clock.now) } }

    func closeIfIdle() -> Bool { state.withLock { $0.machine.closeIfIdle() } }

    var statistics: [(step: String, counters: HubCounters, waiting: Int, unconfirmed: Int)] {
        state.withLock { $0.machine.statistics }
    }

    /// Ends all sessions: the hub stops.
    func stop() { change { $0.machine.stop() } }
}
