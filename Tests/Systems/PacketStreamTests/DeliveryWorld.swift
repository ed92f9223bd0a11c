import ChatCodec
import ChatModel
import ChatRecords
import PacketStream
import TestSupport

/// A sender and a receiver, a link between them that loses and repeats, sessions that break, and processes that end.
struct DeliveryWorld {
    struct Trouble {
        var loss = 0, duplication = 0, reconnects = 0, senderRestarts = 0, receiverRestarts = 0, releases = 0
    }

    let policy: DeliveryPolicy
    private(set) var trouble: Trouble
    private var random: RepeatableRandom
    private var now = Timestamp(milliseconds: 1_000)

    private var sender: PacketSender
    private var receiver: PacketReceiver
    /// What each process would find after it ended.
    private var senderStored, receiverStored: Bytes?
    private var data: [WirePacket] = []
    private var control: [PacketReceiver.Event] = []
    private var application: [PacketReceiver.Delivery] = []

    private(set) var accepted: [String] = []
    private(set) var confirmed: Set<String> = []
    private var confirmedPlaces: Set<String> = []
    private(set) var delivered: [String: Int] = [:]
    private(set) var firsts: [String: [UInt64]] = [:]
    private(set) var problems: [String] = []
    private(set) var sessions = 1

    init(seed: UInt64, policy: DeliveryPolicy, _ trouble: Trouble) {
        (self.policy, self.trouble) = (policy, trouble)
        random = RepeatableRandom(seed: seed)
        (sender, receiver) = (PacketSender(policy), PacketReceiver(policy))
    }

    private mutating func happens(_ percent: Int) -> Bool { random.below(100) < percent }

    /// Offers packets and lets the world run; then all trouble ends, and what is under way arrives.
    mutating func run(packets: Int) throws {
        var number = 0
        for _ in 0..<packets * 40 where number < packets {
            if happens(60), try offer(number) { number += 1 }
            try step()
        }
        trouble = Trouble()
        for _ in 0..<4_000 where sender.waiting.packets > 0 || !application.isEmpty { try step() }
        if sender.waiting.packets > 0 { problems.append("\(sender.waiting.packets) packets never got a receipt") }
    }

    private mutating func offer(_ number: Int) throws -> Bool {
        let id = "p\(number)"
        let place = StreamEnvelope(stream: ["s", "t"][random.below(2)], partition: ["", "north"][random.below(2)])
        var packet = Packet(messageID: id, payload: ["n": JSON(number)], stream: place)
        if happens(30) {
            let bytes = Bytes(random.bytes(1 + random.below(4 * policy.chunkSize), for: .identifier))
            packet = Packet(
                messageID: id, stream: place, carrier: .opaque(.init(bytes, mimeType: "application/octet-stream")))
        }
        switch try sender.send(packet) {
        case .accepted: accepted.append(id)
        case .full: return false
        case .dropped, .acceptedInstead: problems.append("\(id) is dropped by a policy that refuses")
        }
        senderStored = sender.stored
        if sender.waiting.packets > policy.maximumMessages { problems.append("the sender holds too much") }
        return true
    }

    private mutating func step() throws {
        now = now + .milliseconds(Int64(random.below(400)))
        for packet in sender.take(now: now) where !happens(trouble.loss) {
            data.append(packet)
            if happens(trouble.duplication) { data.append(packet) }
        }
        let arrivals = data.prefix(random.below(data.count + 1))
        data.removeFirst(arrivals.count)
        for packet in arrivals { hear(try receiver.receive(packet, now: now)) }
        hear(receiver.wake(now))
        work()
        try report()
        if happens(trouble.reconnects) { reconnect() }
        if happens(trouble.senderRestarts), let stored = senderStored {
            sender = try PacketSender(restoring: stored, policy)
            reconnect()
        }
        if happens(trouble.receiverRestarts) {
            receiver = try receiverStored.map { try PacketReceiver(restoring: $0, policy) } ?? PacketReceiver(policy)
            application = []
            reconnect()
        }
    }

    private mutating func reconnect() {
        (data, control) = ([], [])
        sender.reconnect()
        receiver.reconnect()
        sessions += 1
    }

    private mutating func hear(_ events: [PacketReceiver.Event]) {
        for event in events {
            switch event {
            case .deliver(let delivery): take(delivery)
            case .control, .flow: if !happens(trouble.loss) { control.append(event) }
            case .gap: break
            case .lost: problems.append("a packet is given up")
            case .endSession: return reconnect()
            }
        }
        let waiting = receiver.waiting
        if waiting.held > policy.maximumMessages { problems.append("the receiver holds too much") }
    }

    private mutating func take(_ delivery: PacketReceiver.Delivery) {
        let id = delivery.packet.messageID ?? ""
        if confirmed.contains(id) { problems.append("\(id) is delivered although it was confirmed") }
        delivered[id, default: 0] += 1
        if delivered[id] == 1, let place = delivery.packet.stream {
            let lane = "\(place.stream)|\(place.partition)"
            if let last = firsts[lane]?.last, place.sequence <= last { problems.append("\(id) overtakes in \(lane)") }
            firsts[lane, default: []].append(place.sequence)
        }
        application.append(delivery)
    }

    /// The application is done with some of what it has, in any order, and stores that with its work.
    private mutating func work() {
        for _ in 0..<random.below(4) where !application.isEmpty {
            let delivery = application.remove(at: random.below(application.count))
            if happens(trouble.releases) {
                receiver.release(delivery)
                return reconnect()
            }
            let events = receiver.done(delivery, now: now)
            confirmed.insert(delivery.packet.messageID ?? "")
            if let place = delivery.packet.stream {
                confirmedPlaces.insert("\(place.stream)|\(place.partition)|\(place.sequence)")
            }
            receiverStored = receiver.stored
            hear(events)
        }
    }

    private mutating func report() throws {
        for event in control {
            switch event {
            case .control(let message):
                let read = try ControlMessage(decoding: message.encoded(as: .request), as: .request)
                guard let receipt = Receipt(read) else { continue }
                let name = "\(receipt.stream)|\(receipt.partition)|\(receipt.sequence)"
                if !confirmedPlaces.contains(name) { problems.append("\(name) has a receipt and was not confirmed") }
                _ = sender.receive(receipt)
            case .flow(let flow): try sender.receive(try FlowControl(decoding: flow.encoded))
            default: break
            }
        }
        control = []
        senderStored = sender.stored
    }
}
