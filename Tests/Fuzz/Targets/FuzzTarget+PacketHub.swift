import ChatModel
import PacketStream

extension FuzzTarget {
    /// Connectors that join, leave and take each other's places, and say anything to a hub: a receipt comes only for
    /// what another step was done with, nothing goes to a session that is over, and what waits is bounded.
    static var packetHub: FuzzTarget {
        .generated("packet-hub", inputs: 300) { choices, steps in
            var world = HubUnderFuzz(&choices)
            for _ in 0..<steps where !choices.isOver { try world.step(&choices) }
        }
    }
}

/// A hub, and what is known about it from outside.
private struct HubUnderFuzz {
    private static let names = ["a", "b", "c", "d"]
    private let settings: HubSettings
    private var hub: PacketHub
    private var now = Timestamp(milliseconds: 1)
    private var sessions: [PacketHub.Session] = []
    private var over: Set<PacketHub.Session> = []
    private var done: Set<PacketKey> = []
    /// How many packets of each step the hub took, numbered from 1 in a stream that is called as the step.
    private var taken: [String: UInt64] = [:]

    init(_ choices: inout Choices) {
        var settings = HubSettings()
        (settings.maximumMessages, settings.maximumBytes, settings.maximumSteps) = (3, 64, 3)
        settings.semantics = choices.one(of: .atLeastOnce, .atLeastOnce, .bestEffort)
        settings.mode = choices.one(of: .canonical, .interop)
        if choices.isOne(of: 2) { settings.routes = ["a:b", "b:c", "a:c"].compactMap { HubSettings.Route($0) } }
        (self.settings, hub) = (settings, PacketHub(settings))
    }

    mutating func step(_ choices: inout Choices) throws {
        now = now.later(UInt64(choices.below(2_000)))
        let session = choices.one(of: sessions)
        switch choices.below(12) {
        case 0, 1:
            let opening = choices.one(
                of: PacketHub.Opening.packets(carriesFlow: true), .packets(carriesFlow: false), .control)
            let (name, connector) = (choices.one(of: Self.names) ?? "a", choices.text(of: "x", "y"))
            guard let joined = try? hub.join(name, connector, opening, now: now) else { break }
            try demand(!over.contains(joined), "a session that is over is joined")
            if !sessions.contains(joined) { sessions.append(joined) }
        case 2:
            guard let session else { break }
            hub.leave(session)
            over.insert(session)
        case 3:
            guard let session else { break }
            hub.close(session)
            over.insert(session)
        case 4: hub.tick(now: now)
        case 5, 6: try direct(session, &choices)
        case 7: try receive(choices.streamPacket(), session)
        case 8: _ = hub.closeIfIdle()
        default:
            try receiveNext(session, &choices)
        }
        try look()
    }

    /// The next packet of a step, or one that was there before.
    private mutating func receiveNext(_ session: PacketHub.Session?, _ choices: inout Choices) throws {
        guard let session else { return }
        let last = taken[session.step] ?? 0
        let number = 1 + UInt64(choices.below(Int(last) + 1))
        let place = StreamEnvelope(stream: session.step, sequence: number)
        let isTaken = try receive(try PacketV1().wire(Packet(payload: [:], stream: place)), session)
        if isTaken { taken[session.step] = max(last, number) }
    }

    @discardableResult
    private mutating func receive(_ packet: WirePacket, _ session: PacketHub.Session?) throws -> Bool {
        // Whoever runs a hub reads no more from a step that is overloaded.
        guard let session, !hub.isOverloaded(session) else { return false }
        let before = hub.statistics.map(\.unconfirmed)
        do throws(PacketHub.Refusal) {
            _ = try hub.receive(ProcessMessage(packet: packet), from: session, now: now)
            return true
        } catch {
            try demand(hub.statistics.map(\.unconfirmed) == before, "a refused packet waits for receipts")
            return false
        }
    }

    private mutating func direct(_ session: PacketHub.Session?, _ choices: inout Choices) throws {
        guard let session else { return }
        let place = StreamEnvelope(stream: choices.one(of: Self.names) ?? "a", sequence: choices.number(near: 2))
        let flow = FlowControl(
            creditsMessages: UInt32(choices.below(3)), creditsBytes: UInt32(choices.below(64)),
            signal: choices.one(of: nil, nil, .pause, .resume))
        let others: [ControlMessage] = [
            ControlMessage(.draining), ControlMessage(.cutover), ControlMessage(.handedOver), ControlMessage(.stop),
            ControlMessage(.noop, flow: flow), ControlMessage(.error), ControlMessage(metadata: ["": "x"]),
        ]
        let receipt = Receipt(for: place, size: 0)
        guard choices.isOne(of: 2), let receipt else {
            _ = try? hub.receive(choices.one(of: others) ?? others[0], from: session, now: now)
            return
        }
        // Counted as done before the hub hears it: it may pass the receipt on at once.
        if place.stream != session.step { done.insert(receipt.key) }
        _ = try? hub.receive(receipt.message, from: session, now: now)
    }

    private mutating func look() throws {
        for case .end(let session, _) in hub.takeEffects() { over.insert(session) }
        for session in sessions {
            let leaving = hub.leaving(for: session, now: now)
            try demand(leaving.isEmpty || !over.contains(session), "packets leave for a session that is over")
            for directive in hub.directives(for: session) where settings.semantics == .atLeastOnce {
                guard let receipt = Receipt(directive), receipt.stream == session.step else { continue }
                try demand(done.contains(receipt.key), "a receipt for what nobody was done with")
            }
        }
        for step in hub.statistics {
            try demand(step.unconfirmed <= 16 && step.waiting <= 64, "more waits than may")
        }
    }
}
