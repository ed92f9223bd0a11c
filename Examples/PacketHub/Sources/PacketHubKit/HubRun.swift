import ChatCodec
import ChatModel
import GRPCCore
import PacketStream

/// A run: the machine of the framework, the streams of its sessions, and a log of what happens.
actor HubRun {
    nonisolated let name: String
    private let log: Log
    private var machine: PacketHub
    private var sessions: [UInt64: Session] = [:]

    init(_ name: String, _ settings: HubSettings, _ log: Log) {
        (self.name, self.log) = (name, log)
        machine = PacketHub(settings)
    }

    /// A connector of a step opens a stream of packets, or its control stream.
    func join(_ name: String, _ connector: String, port: PacketPort?) throws -> Session {
        for session in sessions.values where session.isOver { machine.close(session.place) }
        defer { act() }
        let opening = port.map { PacketHub.Opening.packets(carriesFlow: $0.carriesFlow) } ?? .control
        do throws(PacketHub.Refusal) {
            let place = try machine.join(name, connector, opening, now: Clock.now)
            let session = sessions[place.id] ?? Session(place)
            sessions[place.id] = session
            log("joined", fields(place) + [("stream", .string(port?.rawValue ?? "control"))])
            return session
        } catch { throw RPCError(error) }
    }

    /// A connection is over.
    func leave(_ session: Session) {
        defer { act() }
        session.end()
        machine.leave(session.place)
        guard sessions.removeValue(forKey: session.place.id) != nil else { return }
        log("left", fields(session.place))
    }

    private func fields(_ session: PacketHub.Session) -> [(String, JSON)] {
        [
            ("run", .string(name)), ("step", .string(session.step)), ("connector", .string(session.connector)),
            ("generation", JSON(session.generation)),
        ]
    }

    /// What the machine asks for.
    private func act() {
        for effect in machine.takeEffects() {
            switch effect {
            case .wake(let place, let signal): sessions[place.id]?.ring(signal)
            case .end(let place, let reason): sessions[place.id]?.end(RPCError(reason))
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
    func receive(_ bytes: ChatModel.Bytes, on port: PacketPort, of session: Session) throws -> Bool {
        defer { act() }
        let message: ProcessMessage
        do { message = try port.decode(bytes, .toHub) } catch {
            throw refuse(machine.refuse(error, of: session.place), of: session)
        }
        do throws(PacketHub.Refusal) {
            return try machine.receive(message, from: session.place, now: Clock.now)
        } catch { throw refuse(error, of: session) }
    }

    /// What leaves on a stream of packets.
    func leaving(for session: Session) -> [ProcessMessage] {
        defer { act() }
        return machine.leaving(for: session.place, now: Clock.now)
    }

    /// A message comes on a control stream.
    ///
    /// - Returns: whether no more directives are to be read for now.
    func direct(_ bytes: ChatModel.Bytes, of session: Session) throws -> Bool {
        defer { act() }
        let directive: ControlMessage
        do { directive = try ControlMessage(decoding: bytes, as: .request) } catch {
            throw refuse(machine.refuse(error, of: session.place), of: session)
        }
        do throws(PacketHub.Refusal) {
            return try machine.receive(directive, from: session.place, now: Clock.now)
        } catch { throw refuse(error, of: session) }
    }

    /// What leaves on a control stream.
    func directives(for session: Session) -> [ControlMessage] {
        defer { act() }
        return machine.directives(for: session.place)
    }

    /// Whether no more packets, or directives, are to be read from a session for now.
    func isOverloaded(_ session: Session) -> Bool { machine.isOverloaded(session.place) }
    func isFlooded(_ session: Session) -> Bool { machine.isFlooded(session.place) }
}

// What an operator does.
extension HubRun {
    /// Does what is due.
    func tick() {
        defer { act() }
        machine.tick(now: Clock.now)
    }

    func closeIfIdle() -> Bool { machine.closeIfIdle() }

    var statistics: [(step: String, counters: HubCounters, waiting: Int, unconfirmed: Int)] { machine.statistics }

    /// Ends all sessions: the hub stops.
    func stop() {
        defer { act() }
        machine.stop()
    }
}
