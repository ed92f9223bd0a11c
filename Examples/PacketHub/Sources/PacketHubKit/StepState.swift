import ChatModel
import GRPCCore
import PacketStream

/// A step: what it sends and receives, across sessions.
///
/// A packet that came is done when all packets that answer it have receipts, so that a step which is killed in between
/// loses nothing: it comes again.
struct StepState: Sendable {
    private var sender: PacketSender
    private var receiver: PacketReceiver
    private var handshake = PacketHandshake()
    private var session: Session?
    private var directives: [ControlMessage] = []
    private var flow: FlowControl?
    /// Packets that the application works on, and those that wait for the receipts of its answers.
    private var working: [PacketKey: PacketReceiver.Delivery] = [:]
    private var answers: [PacketKey: PacketKey] = [:]
    private var unanswered: [PacketKey: Int] = [:]
    private let deliveries: AsyncStream<PacketReceiver.Delivery>.Continuation
    /// There is room for more packets of the application.
    private let room: Bell
    private let stream: String
    private(set) var hasDelivered = false

    init(
        stream: String, _ settings: HubSettings, _ deliveries: AsyncStream<PacketReceiver.Delivery>.Continuation,
        room: Bell
    ) {
        let codec = PacketV1(settings.mode)
        sender = PacketSender(settings.upstream, codec: codec)
        receiver = PacketReceiver(settings.upstream, codec: codec)
        (self.stream, self.deliveries, self.room) = (stream, deliveries, room)
    }

    /// A session begins: what has no receipt is sent again.
    mutating func begin(_ session: Session) {
        self.session = session
        (handshake, directives, flow, hasDelivered) = (PacketHandshake(), [], nil, false)
        sender.reconnect()
        receiver.reconnect()
    }

    /// Packets without a receipt, and packets that are not done.
    var waiting: Int { sender.waiting.packets + working.count }

    var isRunning: Bool { handshake.isRunning }

    /// What waits for the start of the session says when it is over.
    func checkStart() throws {
        guard handshake.isRunning else {
            throw RPCError(PacketViolation(.handshake, "the hub did not finish the start of the session in time"))
        }
    }
}

// What the step sends.
extension StepState {
    /// Takes a packet of the application.
    ///
    /// - Parameter answering: the packet that is done when this one has a receipt.
    /// - Returns: false where there is no room.
    mutating func send(
        _ packet: Packet, answering delivery: PacketReceiver.Delivery?
    ) throws(PacketViolation) -> Bool {
        var placed = packet
        placed.stream = StreamEnvelope(stream: stream)
        switch try sender.send(placed) {
        case .accepted(let key), .acceptedInstead(let key, _):
            if let key, let question = delivery?.key {
                answers[key] = question
                unanswered[question, default: 0] += 1
            }
            session?.port.ring()
            return true
        case .full, .dropped: return false
        }
    }

    /// What leaves on the stream of packets.
    mutating func leaving(on port: PacketPort) -> [ProcessMessage] {
        guard handshake.isRunning else { return [] }
        var messages = sender.take(now: Clock.now).map { ProcessMessage(packet: $0) }
        guard port.carriesFlow, let flow else { return messages }
        self.flow = nil
        messages.append(ProcessMessage(flow: flow))
        return messages
    }

    /// What leaves on the control stream.
    mutating func takeDirectives() -> [ControlMessage] {
        defer { directives = [] }
        return directives
    }

    mutating func direct(_ message: ControlMessage) {
        directives.append(message)
        session?.control.ring()
    }
}

// What the step receives.
extension StepState {
    mutating func receive(_ bytes: ChatModel.Bytes, on port: PacketPort) throws {
        do {
            try handshake.packet()
            let message = try port.decode(bytes, .fromHub)
            if let flow = message.flow {
                try sender.receive(flow)
                session?.port.ring()
            }
            guard let packet = message.packet else { return }
            handle(try receiver.receive(packet, now: Clock.now), port)
        } catch {
            throw RPCError(error)
        }
    }

    private mutating func handle(_ events: [PacketReceiver.Event], _ port: PacketPort?) {
        for event in events {
            switch event {
            case .deliver(let delivery): deliver(delivery)
            case .control(let message): direct(message)
            case .flow(let flow): grant(flow, port)
            case .gap, .lost: break
            case .endSession(let reason):
                session?.end(RPCError(code: .aborted, message: "the session ends: \(reason)"))
            }
        }
    }

    /// A packet that comes again while the application works on it is the same one.
    private mutating func deliver(_ delivery: PacketReceiver.Delivery) {
        hasDelivered = true
        guard let key = delivery.key else {
            deliveries.yield(delivery)
            return
        }
        guard working.updateValue(delivery, forKey: key) == nil else { return }
        // Not done before the application is through with it, whatever receipts come.
        unanswered[key] = 1
        deliveries.yield(delivery)
    }

    private mutating func grant(_ flow: FlowControl, _ port: PacketPort?) {
        guard port?.carriesFlow == true else { return direct(ControlMessage(.noop, flow: flow)) }
        self.flow = flow.adding(self.flow)
        session?.port.ring()
    }

    /// The application is through with a packet; it is done once its answers have receipts.
    mutating func finish(_ delivery: PacketReceiver.Delivery, on port: PacketPort) {
        if let key = delivery.key { countDown(key, port) }
    }

    private mutating func countDown(_ key: PacketKey, _ port: PacketPort) {
        unanswered[key, default: 1] -= 1
        guard unanswered[key] == 0 else { return }
        unanswered[key] = nil
        settle(key, port)
    }

    private mutating func settle(_ key: PacketKey, _ port: PacketPort?) {
        guard let delivery = working.removeValue(forKey: key) else { return }
        handle(receiver.done(delivery, now: Clock.now), port)
    }

    /// A directive of the hub.
    mutating func direct(_ bytes: ChatModel.Bytes, port: PacketPort) throws {
        do {
            let message = try ControlMessage(decoding: bytes, as: .response)
            let wasRunning = handshake.isRunning
            try handshake.receive(message)
            if handshake.isRunning, !wasRunning { for bell in [session?.port, session?.started] { bell?.ring() } }
            if let flow = message.flow {
                try sender.receive(flow)
                session?.port.ring()
            }
            if let receipt = PacketStream.Receipt(message) { confirm(receipt, port) }
            if let answer = message.ack(handled: true) { direct(answer) }
        } catch {
            throw RPCError(error)
        }
    }

    private mutating func confirm(_ receipt: PacketStream.Receipt, _ port: PacketPort) {
        _ = sender.receive(receipt)
        room.ring()
        session?.port.ring()
        if let question = answers.removeValue(forKey: receipt.key) { countDown(question, port) }
    }

    /// Does what is due.
    mutating func tick(on port: PacketPort) {
        handle(receiver.wake(Clock.now), port)
        if let wake = sender.nextWake, wake <= Clock.now { session?.port.ring() }
    }
}
