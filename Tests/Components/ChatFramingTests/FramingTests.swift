import ChatFraming
import ChatModel
import TestSupport
import Testing

/// What holds for every framing here.
@Suite struct FramingTests {
    @Test(arguments: framings)
    func `machines that share an address get their own payloads and no others (FW-04, FR-02)`(
        framing: any FramingStrategy
    ) throws {
        let owners: [(Owner, Route)] = [
            (.initialization, shared("60749122be857ec1aeefb0c39acd5302")), (saro, shared("convo-1")),
            (raya, shared("ö")),
            (.conversation(ConversationID("pax")), shared(String(repeating: "x", count: Route.maximumID))),
        ]
        var client = framing
        for (owner, route) in owners { client.listen([Listening("a", route)], for: owner) }
        for (index, (owner, route)) in owners.enumerated() {
            let payload: Payload = [UInt8(index), 7]
            let addressed = try framing.wrapped(Routed("a", route, payload: payload), in: turn())
            #expect(try client.unwrap(addressed) == .payload(Routed("a", route, payload: payload), for: owner))
        }
    }

    @Test(arguments: framings)
    func `a route nobody has, or on another address, is foreign (ENV-03)`(framing: any FramingStrategy) throws {
        let client = framing.listening([Listening("a", shared("one")), Listening("b", shared("two"))], for: raya)
        for (address, route) in [("a", "two"), ("b", "one"), ("c", "one"), ("a", "three")]
            as [(DeliveryAddress, String)]
        {
            let addressed = try framing.wrapped(Routed(address, shared(route), payload: [1]), in: turn())
            #expect(try client.unwrap(addressed) == .foreign)
        }
    }

    @Test(arguments: framings)
    func `who listens anew hears the new routes alone`(framing: any FramingStrategy) throws {
        var client = framing.listening([Listening("a", shared("old"))], for: raya)
        let (old, new) = (Routed("a", shared("old"), payload: [1]), Routed("a", shared("new"), payload: [2]))
        client.listen([Listening("a", shared("new"))], for: raya)
        #expect(try client.unwrap(try framing.wrapped(old, in: turn())) == .foreign)
        #expect(try client.unwrap(try framing.wrapped(new, in: turn())) == .payload(new, for: raya))
        client.listen([], for: raya)
        #expect(try client.unwrap(try framing.wrapped(new, in: turn())) == .foreign)
    }

    @Test(arguments: framings)
    func `payloads of any size arrive as they were sent`(framing: any FramingStrategy) throws {
        let client = framing.listening([Listening("a", shared("r"))], for: raya)
        for size in [0, 1, 127, 128, 255, 256, 16_383, 16_384, 70_000] {
            let routed = Routed("a", shared("r"), payload: Bytes([UInt8](repeating: 0xA5, count: size)))
            let addressed = try framing.wrapped(routed, in: turn())
            #expect(addressed.payload.count <= size + framing.headRoom)
            #expect(framing.maximumPayload(within: addressed.payload.count) <= size)
            #expect(try client.unwrap(addressed) == .payload(routed, for: raya))
        }
    }

    @Test(arguments: framings)
    func `the head room is what the longest route needs, and no header goes beyond it`(
        framing: any FramingStrategy
    ) throws {
        let longest = shared(String(repeating: "r", count: Route.maximumID))
        let payload = Bytes([UInt8](repeating: 0, count: 1 << 14))
        let salted = turn(salt: .max)
        let addressed = try framing.wrapped(
            Routed("a", longest, payload: payload), in: framing.facts.name == "envelope-v1" ? salted : turn())
        let header = addressed.payload.count - payload.count
        #expect(framing.headRoom - 2...framing.headRoom ~= header, "\(framing.facts.name): \(header)")
        #expect(framing.maximumPayload(within: framing.headRoom + 10) == 10)
        #expect(framing.maximumPayload(within: 3) == 0)
    }

    @Test(arguments: framings)
    func `a header is handed to the service, or refused by name, not dropped (FRAMING-5)`(
        framing: any FramingStrategy
    ) throws {
        let routed = Routed("a", shared("r"), payload: [1], headers: [Header("Priority", "high")])
        guard framing.facts.name != "plain" else {
            #expect(try framing.wrapped(routed, in: turn()).headers == routed.headers)
            return
        }
        let cause = CommonCause.unsupportedHeader("Priority", framing: framing.facts.name)
        #expect(throws: Refusal(.unsupported, cause)) { try framing.wrapped(routed, in: turn()) }
    }

    @Test(arguments: framings, [0, 256])
    func `a route too short or too long is refused with numbers`(framing: any FramingStrategy, size: Int) {
        let routed = Routed("a", shared(String(repeating: "r", count: size)), payload: [1])
        #expect(throws: Refusal(.unable, FramingError.badRoute(bytes: size, limit: 255))) {
            try framing.wrapped(routed, in: turn())
        }
    }

    @Test(arguments: framings)
    func `a reply address stays beside the payload (FRAMING-6)`(framing: any FramingStrategy) throws {
        let client = framing.listening([Listening("a", shared("r"))], for: raya)
        let routed = Routed("a", shared("r"), payload: [1], replyAddress: "replies")
        let addressed = try framing.wrapped(routed, in: turn())
        #expect(addressed.replyAddress == "replies")
        #expect(addressed.payload == (try framing.wrapped(Routed("a", shared("r"), payload: [1]), in: turn())).payload)
        #expect(try client.unwrap(addressed) == .payload(routed, for: raya))
    }

    @Test(arguments: framings)
    func `neither direction copies a payload`(framing: any FramingStrategy) throws {
        var (framing, turn) = (framing.listening([Listening("a", shared("r"))], for: raya), turn())
        let body = Bytes(headRoom: framing.headRoom, count: 3) { $0.append(repeating: 9, count: 3) }
        let before = place(of: body)
        let addressed = try framing.wrap(
            Routed("a", shared("r"), payload: consume body), of: .initialization, random: &turn.random)
        guard case .payload(let routed, _) = try framing.unwrap(addressed) else {
            Issue.record("not found")
            return
        }
        #expect(place(of: routed.payload) == place(of: addressed.payload) + addressed.payload.count - 3)
        #expect(place(of: routed.payload) == before)
    }

    @Test func `framings can be swapped: the same payloads reach the same owners (FW-02)`() throws {
        var generator = SplitMix64(seed: 5)
        let routes = (0..<8).map { shared("route-\($0)") }
        let clients = framings.map { framing in
            var client = framing
            for (index, route) in routes.dropLast(2).enumerated() {
                let address = DeliveryAddress("address-\(index % 3)")
                client.listen([Listening(address, route)], for: .conversation(ConversationID("\(index)")))
            }
            return client
        }
        var found = 0
        for _ in 0..<200 {
            let payload = Bytes((0..<generator.below(40)).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
            let routed = Routed(
                DeliveryAddress("address-\(generator.below(3))"), routes[generator.below(8)], payload: payload)
            let results = try clients.map { try $0.unwrap(try $0.wrapped(routed, in: turn())) }
            #expect(results.allSatisfy { $0 == results[0] })
            if case .payload(let arrived, _) = results[0] {
                #expect(arrived == routed)
                found += 1
            }
        }
        #expect((20..<100).contains(found))
    }

    @Test func `names are those of the published compositions`() {
        #expect(framings.map(\.facts.name) == ["plain", "envelope-v1", "envelope-v1-libchat", "envelope-v1", "rpi-v1"])
    }
}

/// Where the first byte lies in memory.
private func place(of bytes: borrowing Bytes) -> Int {
    unsafe bytes.span.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
}
