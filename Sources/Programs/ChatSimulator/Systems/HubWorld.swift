import ChatCodec
import ChatModel
import PacketStream

/// A hub and steps around it: connections that break with what is under way, hubs that forget, steps that restart.
///
/// What a connection carries arrives in its order, or the connection breaks; a broken one loses any part of it.
struct HubWorld {
    private struct Trouble {
        var breaks = 0, hubRestarts = 0, stepRestarts = 0, takeovers = 0
    }

    /// One connection as both ends see it.
    private struct Link {
        let session: PacketHub.Session
        var toHub: [ProcessMessage] = [], fromHub: [ProcessMessage] = []
        var directivesToHub: [ControlMessage] = [], directivesFromHub: [ControlMessage] = []
        var handshake = PacketHandshake()
    }

    /// A process that keeps a connection.
    private struct Node {
        let name: String
        /// Whether what it was done with outlives its process.
        let remembers: Bool
        var sender: PacketSender, receiver: PacketReceiver
        var storedSender, storedReceiver: Bytes?
        var application: [PacketReceiver.Delivery] = []
        var flow: FlowControl?
        var link: Link?
    }

    private let settings: HubSettings
    private var hub: PacketHub
    private var nodes: [Node] = []
    private var trouble: Trouble
    private var random: RepeatableRandom
    private var now = Timestamp(milliseconds: 1_000)
    private var connectors = 0

    /// Packets by their ids: who has to get them, how often each did, and who said that it was done.
    private var expected: [String: Set<String>] = [:]
    private var delivered: [String: [String: Int]] = [:]
    private var done: [String: Set<String>] = [:]
    private var problems: [String] = []
    private var diary: SystemDiary

    private init(seed: UInt64, steps: Int, _ settings: HubSettings, _ trouble: Trouble, _ diary: SystemDiary) {
        (self.settings, self.trouble, self.diary) = (settings, trouble, diary)
        random = RepeatableRandom(seed: seed)
        hub = PacketHub(settings)
        let policy = settings.upstream
        for number in 0..<steps {
            nodes.append(
                Node(
                    name: "step-\(number)", remembers: number % 2 == 0, sender: PacketSender(policy),
                    receiver: PacketReceiver(policy)))
        }
    }

    private mutating func happens(_ perMille: Int) -> Bool { random.below(1_000) < perMille }

    /// One run; gives what did not hold. Of three seeds two have trouble, and one has buffers that are often full.
    ///
    /// - Parameters:
    ///   - seed: all randomness comes from it.
    ///   - packets: how many are sent.
    ///   - diary: where what happens is written.
    static func run(seed: UInt64, packets: Int, _ diary: inout SystemDiary) throws -> String? {
        var settings = HubSettings()
        let isCalm = seed % 3 == 2
        let routes = isCalm ? [] : ["step-0:step-1", "step-1:step-2", "step-0:step-2", "step-2:step-0"]
        settings.routes = routes.compactMap { HubSettings.Route($0) }
        settings.maximumMessages = isCalm ? 3 : 12
        let trouble = isCalm ? Trouble() : Trouble(breaks: 40, hubRestarts: 8, stepRestarts: 15, takeovers: 10)
        var world = HubWorld(seed: seed, steps: isCalm ? 4 : 3, settings, trouble, diary)
        defer { diary = world.diary }
        try world.run(packets: packets)
        if isCalm {
            for (id, steps) in world.delivered where steps.count != 3 || steps.values.contains(where: { $0 != 1 }) {
                world.problems.append("\(id) was not delivered once to each: \(steps)")
            }
        }
        return world.problems.first
    }

    private mutating func note(_ what: String, _ detail: @autoclosure () -> String = "") {
        diary.note(what, detail(), at: now.milliseconds)
    }

    /// Lets steps send packets; then all trouble ends, and what is under way arrives.
    private mutating func run(packets: Int) throws {
        var number = 0
        for _ in 0..<packets * 60 where number < packets {
            if happens(500), try offer(number) { number += 1 }
            try turn()
        }
        trouble = Trouble()
        for _ in 0..<6_000 where !isQuiet { try turn() }
        if !isQuiet { problems.append("something never arrives: \(state)") }
        for (id, steps) in expected.sorted(by: { $0.key < $1.key }) {
            for step in steps.sorted() where done[id]?.contains(step) != true {
                problems.append("\(step) never had \(id)")
            }
        }
    }

    private var isQuiet: Bool { nodes.allSatisfy { $0.sender.waiting.packets == 0 && $0.application.isEmpty } }

    /// For whoever looks for the reason.
    private var state: String {
        let steps = hub.statistics.map { "\($0.step): \($0.waiting) wait for it, \($0.unconfirmed) of it" }
        let ends = nodes.map { node in
            "\(node.name): \(node.sender.unconfirmed), \(node.receiver.waiting), \(node.application.count), "
                + (node.link.map { "\($0.handshake.phase)" } ?? "no connection")
        }
        return (steps + ends).joined(separator: "; ")
    }

    private func receivers(of name: String) -> Set<String> {
        settings.routes.isEmpty
            ? Set(nodes.map(\.name)).subtracting([name])
            : Set(settings.routes.filter { $0.from == name }.map(\.to))
    }

    private mutating func offer(_ number: Int) throws -> Bool {
        let index = random.below(nodes.count)
        let name = nodes[index].name
        let receivers = receivers(of: name)
        guard !receivers.isEmpty else { return false }
        let id = "p\(number)"
        let place = StreamEnvelope(stream: "\(name)/s", partition: ["", "north"][random.below(2)])
        var packet = Packet(messageID: id, payload: ["n": JSON(number)], stream: place)
        if happens(200) {
            let bytes = Bytes(random.bytes(1 + random.below(5_000), for: .identifier))
            packet = Packet(messageID: id, stream: place, carrier: .opaque(.init(bytes, mimeType: "a/b")))
        }
        guard case .accepted = try nodes[index].sender.send(packet) else { return false }
        nodes[index].storedSender = nodes[index].sender.stored
        expected[id] = receivers
        note("sent", "\(id) by \(name)")
        return true
    }

    private mutating func turn() throws {
        now = now + .milliseconds(Int64(random.below(300)))
        for index in nodes.indices {
            if nodes[index].link == nil { try connect(index) }
            send(index)
            try hear(index)
            work(index)
        }
        hub.tick(now: now)
        act()
        if happens(trouble.breaks) { cut(random.below(nodes.count), isSeen: happens(500)) }
        if happens(trouble.takeovers) { try takeOver(random.below(nodes.count)) }
        if happens(trouble.stepRestarts) { try restart(random.below(nodes.count)) }
        guard happens(trouble.hubRestarts) else { return }
        for index in nodes.indices { cut(index, isSeen: false) }
        hub = PacketHub(settings)
        note("restarts of the hub")
    }
}

// Connections.
extension HubWorld {
    private mutating func connect(_ index: Int) throws {
        let name = nodes[index].name
        connectors += 1
        let openings = [PacketHub.Opening.packets(carriesFlow: happens(500)), .control].shuffled(using: &random)
        var session: PacketHub.Session?
        for opening in openings {
            session = try hub.join(name, "connector-\(connectors)", opening, now: now)
            act()
        }
        guard let session else { return }
        nodes[index].link = Link(session: session)
        nodes[index].flow = nil
        nodes[index].sender.reconnect()
        nodes[index].receiver.reconnect()
        note("connections", name)
    }

    /// A connection breaks. Where the hub sees it later than the step, the next connection takes its place.
    private mutating func cut(_ index: Int, isSeen: Bool) {
        guard let link = nodes[index].link else { return }
        nodes[index].link = nil
        if isSeen { hub.leave(link.session) }
        act()
    }

    /// Another connector of the step comes while the first one is there.
    private mutating func takeOver(_ index: Int) throws {
        nodes[index].link = nil
        try connect(index)
    }

    private mutating func restart(_ index: Int) throws {
        cut(index, isSeen: happens(500))
        let policy = settings.upstream
        let node = nodes[index]
        nodes[index].sender =
            try node.storedSender.map { try PacketSender(restoring: $0, policy) } ?? PacketSender(policy)
        let stored = node.remembers ? node.storedReceiver : nil
        nodes[index].receiver = try stored.map { try PacketReceiver(restoring: $0, policy) } ?? PacketReceiver(policy)
        nodes[index].application = []
        note("restarts of steps", node.name)
    }

    private mutating func act() {
        for effect in hub.takeEffects() {
            guard case .end(let session, _) = effect else { continue }
            hub.leave(session)
            for index in nodes.indices where nodes[index].link?.session == session { nodes[index].link = nil }
        }
    }
}

// What goes.
extension HubWorld {
    private mutating func send(_ index: Int) {
        guard var link = nodes[index].link else { return }
        if link.handshake.isRunning {
            link.toHub += nodes[index].sender.take(now: now).map { ProcessMessage(packet: $0) }
            if let flow = nodes[index].flow {
                link.directivesToHub.append(ControlMessage(.noop, flow: flow))
                nodes[index].flow = nil
            }
        }
        link.fromHub += hub.leaving(for: link.session, now: now)
        link.directivesFromHub += hub.directives(for: link.session)
        nodes[index].link = link
    }

    private mutating func hear(_ index: Int) throws {
        guard var link = nodes[index].link else { return }
        let session = link.session
        let (packets, directives) = (take(&link.toHub), take(&link.directivesToHub))
        let (arrived, answers) = (link.handshake.isRunning ? take(&link.fromHub) : [], take(&link.directivesFromHub))
        for answer in answers { try link.handshake.receive(answer) }
        nodes[index].link = link
        do throws(PacketHub.Refusal) {
            for message in packets {
                guard !hub.isOverloaded(session) else {
                    problems.append("a step that keeps credits is overloaded"); break
                }
                _ = try hub.receive(message, from: session, now: now)
            }
            for directive in directives { _ = try hub.receive(directive, from: session, now: now) }
        } catch {
            // A connection that was replaced is refused whatever it says.
            if nodes[index].link?.session == session, error.violation?.rule != .tooEarly { problems.append("\(error)") }
            return cut(index, isSeen: true)
        }
        act()
        for answer in answers { try hear(answer, index) }
        for message in arrived {
            if let flow = message.flow { try nodes[index].sender.receive(flow) }
            guard let packet = message.packet else { continue }
            handle(try nodes[index].receiver.receive(packet, now: now), index)
        }
        handle(nodes[index].receiver.wake(now), index)
    }

    private mutating func take<Message>(_ queue: inout [Message]) -> [Message] {
        let arrived = Array(queue.prefix(random.below(queue.count + 1)))
        queue.removeFirst(arrived.count)
        return arrived
    }

    private mutating func hear(_ directive: ControlMessage, _ index: Int) throws {
        if let flow = directive.flow { try nodes[index].sender.receive(flow) }
        guard let receipt = Receipt(directive) else { return }
        let id = nodes[index].sender.unconfirmed.contains(receipt.key)
        guard id, nodes[index].sender.receive(receipt) else { return }
        nodes[index].storedSender = nodes[index].sender.stored
    }

    private mutating func handle(_ events: [PacketReceiver.Event], _ index: Int) {
        for event in events {
            switch event {
            case .deliver(let delivery): arrive(delivery, index)
            case .control(let message): nodes[index].link?.directivesToHub.append(message)
            case .flow(let flow): nodes[index].flow = flow.adding(nodes[index].flow)
            case .gap: break
            case .lost: problems.append("a packet is given up")
            case .endSession: cut(index, isSeen: true)
            }
        }
    }

    private mutating func arrive(_ delivery: PacketReceiver.Delivery, _ index: Int) {
        let (id, node) = (delivery.packet.messageID ?? "", nodes[index])
        if expected[id]?.contains(node.name) != true { problems.append("\(node.name) gets \(id)") }
        if node.remembers, done[id]?.contains(node.name) == true { problems.append("\(node.name) gets \(id) again") }
        delivered[id, default: [:]][node.name, default: 0] += 1
        note("delivered", "\(id) to \(node.name)")
        guard !node.application.contains(where: { $0.key == delivery.key }) else { return }
        nodes[index].application.append(delivery)
    }

    /// A step is done with some of what it has, and stores that with its work.
    private mutating func work(_ index: Int) {
        for _ in 0..<random.below(4) where !nodes[index].application.isEmpty {
            let delivery = nodes[index].application.remove(at: random.below(nodes[index].application.count))
            let events = nodes[index].receiver.done(delivery, now: now)
            done[delivery.packet.messageID ?? "", default: []].insert(nodes[index].name)
            nodes[index].storedReceiver = nodes[index].receiver.stored
            handle(events, index)
        }
    }
}
