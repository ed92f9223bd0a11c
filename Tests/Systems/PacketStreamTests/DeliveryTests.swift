import ChatCodec
import ChatModel
import PacketStream
import TestSupport
import Testing

struct DeliveryTests {
    private func policy(_ messages: Int = 8) -> DeliveryPolicy {
        DeliveryPolicy(
            maximumMessages: messages, maximumBytes: 512, chunkSize: 64, replayAfter: .seconds(3), ackMessages: 3,
            holdAfter: .seconds(20), firstSequence: 1)
    }

    private func check(_ world: DeliveryWorld, _ what: String, packets: Int) {
        #expect(world.problems.isEmpty, "\(what): \(world.problems.prefix(3))")
        #expect(world.accepted.count == packets, "\(what)")
        let missing = world.accepted.filter { world.delivered[$0] == nil }
        #expect(missing.isEmpty, "\(what): \(missing.prefix(3)) were never delivered")
    }

    @Test(.timeLimit(.minutes(30)), arguments: Seeds.all(30))
    func `whatever is lost, repeated or restarted, a packet arrives, and a confirmed one never again (PS-7)`(
        seed: UInt64
    ) throws {
        let trouble = DeliveryWorld.Trouble(
            loss: 15, duplication: 15, reconnects: 3, senderRestarts: 2, receiverRestarts: 2, releases: 2)
        var world = DeliveryWorld(seed: seed, policy: policy(), trouble)
        try world.run(packets: 80)
        check(world, "seed \(seed)", packets: 80)
        #expect(world.sessions > 2)
    }

    @Test(.timeLimit(.minutes(30)), arguments: Seeds.all(10))
    func `without trouble each packet is delivered once, in the order of its lane (PS-7)`(seed: UInt64) throws {
        var world = DeliveryWorld(seed: seed, policy: policy(), DeliveryWorld.Trouble())
        try world.run(packets: 120)
        check(world, "seed \(seed)", packets: 120)
        #expect(world.delivered.values.allSatisfy { $0 == 1 } && world.sessions == 1)
        for sequences in world.firsts.values { #expect(sequences == Array(1...UInt64(sequences.count))) }
    }

    @Test func `a fast sender has no more under way than the other side gave credit for (PS-8)`() throws {
        var sender = PacketSender(DeliveryPolicy(maximumMessages: 10, maximumBytes: 1_000))
        for number in 0..<10 {
            _ = try sender.send(Packet(messageID: "m\(number)", payload: [:], stream: StreamEnvelope(stream: "s")))
        }
        #expect(try sender.send(Packet(payload: [:], stream: StreamEnvelope(stream: "s"))) == .full)
        let first = sender.take(now: .zero)
        #expect(first.count == 10 && sender.take(now: .zero).isEmpty && sender.waiting.packets == 10)
        for packet in first.prefix(4) {
            let receipt = try #require(Receipt(for: packet.stream, size: packet.contentSize))
            let isKnown = sender.receive(receipt)
            #expect(isKnown)
        }
        for _ in 0..<4 { _ = try sender.send(Packet(payload: [:], stream: StreamEnvelope(stream: "s"))) }
        #expect(sender.take(now: .zero).isEmpty)
        try sender.receive(FlowControl(creditsMessages: 3, creditsBytes: 500))
        #expect(sender.take(now: .zero).count == 3)
        try sender.receive(FlowControl(creditsMessages: 3, creditsBytes: 500, signal: .pause))
        #expect(sender.take(now: .zero).isEmpty)
        try sender.receive(FlowControl(signal: .resume))
        #expect(sender.take(now: .zero).map { $0.stream?.sequence } == [14])
    }

    @Test(arguments: [DeliveryPolicy.Overflow.dropNewest, .dropOldest])
    func `a full buffer drops what its policy says, and says so (PS-8)`(overflow: DeliveryPolicy.Overflow) throws {
        var sender = PacketSender(DeliveryPolicy(overflow: overflow, maximumMessages: 2))
        var outcomes: [PacketSender.Acceptance] = []
        for _ in 0..<3 {
            outcomes.append(try sender.send(Packet(payload: [:], stream: StreamEnvelope(stream: "s"))))
        }
        let last = PacketKey.sequence(stream: "s", partition: "", 3)
        #expect(outcomes[2] == (overflow == .dropNewest ? .dropped : .acceptedInstead(last, dropped: 1)))
        let numbers: [UInt64] = overflow == .dropNewest ? [1, 2] : [2, 3]
        #expect(sender.take(now: .zero).compactMap { $0.stream?.sequence } == numbers)
    }

    @Test func `a packet that is refused is neither delivered nor acknowledged, and changes nothing (PS-7)`() throws {
        var receiver = PacketReceiver(DeliveryPolicy(chunkSize: 4, firstSequence: 1))
        let stream = StreamEnvelope(stream: "s", sequence: 1)
        var bad = WirePacket(payload: ["a": 1], frame: .audio(AudioFrame(pcm: [1])), stream: stream)
        #expect(throws: PacketViolation.self) { try receiver.receive(bad, now: .zero) }
        // The pieces of an envelope that is none: the last one is refused, and what was held is held still.
        let frame = BinaryFrame(payload: Bytes("not json"), mimeType: "application/vnd.bubu.packet+json")
        bad = WirePacket(frame: .binary(frame), stream: stream)
        for index in 0..<2 {
            var piece = bad
            let part = frame.payload.slice(index * 4..<index * 4 + 4)
            piece.frame = .binary(BinaryFrame(payload: part, mimeType: frame.mimeType))
            piece.stream = StreamEnvelope(
                stream: "s", sequence: 1, chunkID: "c", chunkIndex: UInt32(index), chunkCount: 2)
            if index == 0 {
                let events = try receiver.receive(piece, now: .zero)
                #expect(events.isEmpty && receiver.waiting.partial == 1)
            } else {
                let violation = #expect(throws: PacketViolation.self) { try receiver.receive(piece, now: .zero) }
                #expect(violation?.rule == .envelope && receiver.waiting.partial == 1)
            }
        }
        let good = try PacketV1().wire(Packet(payload: ["a": 1], stream: stream))
        let events = try receiver.receive(good, now: .zero)
        guard case .deliver(let delivery)? = events.first, events.count == 1 else {
            Issue.record("\(events)")
            return
        }
        let done = receiver.done(delivery, now: .zero)
        guard case .control(let message)? = done.first else {
            Issue.record("\(done)")
            return
        }
        #expect(Receipt(message)?.sequence == 1)
    }

    @Test func `a gap is held and told, and after a while the session ends or the packet is lost (SA-52)`() throws {
        for semantics in DeliveryPolicy.Semantics.allCases {
            var receiver = PacketReceiver(
                DeliveryPolicy(semantics: semantics, holdAfter: .seconds(5), firstSequence: 1))
            let later = try PacketV1().wire(Packet(payload: [:], stream: StreamEnvelope(stream: "s", sequence: 3)))
            let events = try receiver.receive(later, now: .zero)
            #expect(events == [.gap(stream: "s", partition: "", missing: 2)] && receiver.waiting.held == 1)
            let wake = try #require(receiver.nextWake)
            #expect(wake == .zero + .seconds(5) && receiver.wake(.zero + .seconds(4)).isEmpty)
            let woken = receiver.wake(wake)
            if semantics == .atLeastOnce {
                #expect(woken == [.endSession(.missing)])
            } else {
                #expect(woken.first == .lost(stream: "s", partition: "", missing: 2) && woken.count == 2)
            }
        }
    }
    @Test func `a packet in pieces is granted once, not once more when it is done (PS-8)`() throws {
        var receiver = PacketReceiver(DeliveryPolicy(chunkSize: 4, ackMessages: 1, firstSequence: 1))
        let place = StreamEnvelope(stream: "s", sequence: 1)
        let bytes = Packet.OpaqueBytes(Bytes("saro raya pax"), mimeType: "a/b")
        var (messages, granted) = (0, 0)
        func count(_ events: [PacketReceiver.Event]) {
            for case .flow(let flow) in events {
                messages += Int(flow.creditsMessages)
                granted += Int(flow.creditsBytes)
            }
        }
        for piece in try PacketV1().split(Packet(stream: place, carrier: .opaque(bytes)), chunkID: "c", size: 4) {
            let events = try receiver.receive(piece, now: .zero)
            count(events)
            for case .deliver(let delivery) in events { count(receiver.done(delivery, now: .zero)) }
        }
        #expect(messages == 4 && granted == 13)
    }

    @Test func `what is held counts with all its structures (PS-8)`() throws {
        var receiver = PacketReceiver(DeliveryPolicy(maximumBytes: 4_096, firstSequence: 1))
        let context: PacketObject = ["text": .string(String(repeating: "x", count: 3_000))]
        var events: [PacketReceiver.Event] = []
        for sequence: UInt64 in 3...4 {
            let packet = Packet(
                payload: context, stream: StreamEnvelope(stream: "s", sequence: sequence),
                carrier: .audio(AudioFrame(pcm: [1], sampleRate: 8_000, channels: 1)))
            events = try receiver.receive(try PacketV1().wire(packet), now: .zero)
        }
        #expect(events == [.endSession(.heldOverflow)] && receiver.waiting.held == 1)
    }

    @Test func `connectors are handed over, and those that are superseded are refused (SA-61)`() throws {
        var handover = ConnectorHandover()
        let steps: [(ControlAction, UInt64, Bool)] = [
            (.cutover, 1, false), (.draining, 2, false), (.draining, 1, true), (.draining, 1, false),
            (.handedOver, 2, false), (.cutover, 2, true), (.handedOver, 1, false), (.handedOver, 2, true),
        ]
        for (action, sender, isTaken) in steps {
            #expect(handover.receive(ControlMessage(action), from: sender) == isTaken, "\(action) of \(sender)")
            if action == .draining, isTaken { #expect(handover.target == nil) }
            if action == .cutover, isTaken {
                try handover.check(1)
                try handover.check(2)
                #expect(handover.target == 2)
            }
        }
        #expect(handover.generation == 2 && handover.phase == .steady && handover.target == 2)
        try handover.check(2)
        for other: UInt64 in [0, 1, 3] { #expect(throws: PacketViolation.self) { try handover.check(other) } }
        handover.lost()
        #expect(handover.target == 3)
    }

    @Test func `pauses grow, with jitter, and end when something cannot become better (PS-9)`() {
        var (backoff, random) = (Backoff(), RepeatableRandom(seed: 3))
        for expected in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000] {
            let pause = backoff.fail(.code(.unavailable))
            #expect(pause == expected)
            let drawn = backoff.jittered(expected, using: &random)
            #expect((expected * 8 / 10...expected * 12 / 10).contains(drawn))
        }
        #expect(backoff.fail(.code(.unavailable)) == nil)
        backoff.delivered()
        #expect(backoff.fail(.code(.unavailable)) == 500 && backoff.fail(.missingBinding) == nil)
        var endless = Backoff(Backoff.Policy(retries: -1))
        for _ in 0..<100 { #expect(endless.fail(.code(.aborted)) != nil) }
    }
}
