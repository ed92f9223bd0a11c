public import ChatModel

extension Conformance {
    /// Checks a delivery service (DS-01 to DS-13); what it does not offer or limit is not applicable.
    ///
    /// - Parameters:
    ///   - make: gives a fresh service that several clients share, or one client's end of it on each call
    ///     with the same number; payloads published at one end arrive at the others.
    ///   - patience: how long a payload may take.
    ///   - seed: makes the run repeatable.
    public static func check(
        delivery make: (Int) async throws -> any DeliveryService, patience: Duration = .seconds(2), seed: UInt64 = 1
    ) async -> Report {
        guard let (one, two) = try? (await make(0), await make(1)) else {
            return Report(
                component: "delivery service", name: "?", seed: seed,
                results: [.init(id: "DS-13", requirement: "the service starts", outcome: .failed("it did not start"))])
        }
        var checker = Checker("delivery service", one.facts.name, seed: seed)
        let clients = Ends(one: one, two: two, patience: patience)

        await checker.check("DS-01", "a payload arrives at a subscriber as it was (DS-07)") { dice async throws(Stop) in
            let address = dice.address()
            let mailbox = try await clients.subscribed([address: .now])
            for size in [0, 1, 500, 1_400, min(40_000, clients.two.limits.maximumPayload)] {
                let payload = dice.bytes(size)
                try await clients.publish([dice.addressed(address, payload)])
                let got = try await clients.receive(1, from: mailbox)
                try expect(
                    got.first?.addressed.payload == payload,
                    "\(size) bytes arrived as \(got.map(\.addressed.payload.count))")
                try expect(
                    got.first?.addressed.address == address,
                    "it arrived on \(String(describing: got.first?.addressed.address))")
            }
        }
        await checker.check("DS-02", "every subscriber of an address gets a copy, and nobody else") {
            dice async throws(Stop) in
            let (address, other) = (dice.address(), dice.address())
            let first = try await clients.subscribed([address: .now])
            let second = try await clients.subscribed([address: .now])
            let stranger = try await clients.subscribed([other: .now])
            try await clients.publish([dice.addressed(address, [1])])
            try await clients.publish([dice.addressed(other, [2])])
            try expect(
                try await clients.receive(1, from: first).first?.addressed.payload == [1], "the first got another")
            try expect(
                try await clients.receive(1, from: second).first?.addressed.payload == [1], "the second got another")
            try expect(
                try await clients.receive(1, from: stranger).first?.addressed.payload == [2], "the stranger got another"
            )
        }
        await checker.check("DS-12", "subscribing again is no harm, and delivers once") { dice async throws(Stop) in
            let address = dice.address()
            let mailbox = try await clients.subscribed([address: .now])
            try await clients.subscribe([address: .now], mailbox)
            try await clients.publish([dice.addressed(address, [1]), dice.addressed(address, [2])])
            let got = try await clients.receive(2, from: mailbox)
            try expect(
                Set(got.map(\.addressed.payload)) == [[1], [2]], "it delivered \(got.map(\.addressed.payload.array))")
        }
        await checker.check("DS-13", "after unsubscribing nothing more comes") { dice async throws(Stop) in
            let (address, marker) = (dice.address(), dice.address())
            let mailbox = try await clients.subscribed([address: .now, marker: .now])
            await clients.one.unsubscribe([address], from: mailbox)
            try await clients.publish([dice.addressed(address, [1]), dice.addressed(marker, [2])])
            let got = try await clients.receive(1, from: mailbox)
            try expect(got.map(\.addressed.payload) == [[2]], "it delivered \(got.map(\.addressed.payload.array))")
        }
        await checker.check("DS-09", "a payload that is too large is refused with the limit") {
            dice async throws(Stop) in
            let limit = clients.two.limits.maximumPayload
            try applies(limit < 64 << 20, "takes payloads of any size")
            let results = await clients.two.publish([dice.addressed(dice.address(), dice.bytes(limit + 1))])
            try expect(
                results == [.failure(.tooLarge(bytes: limit + 1, limit: limit))], "\(limit + 1) bytes gave \(results)")
        }
        await checker.check("DS-10", "beyond the quota a payload is refused with the time to wait") {
            dice async throws(Stop) in
            guard let rate = clients.two.limits.rate else { throw .notApplicable("has no quota") }
            let address = dice.address()
            let burst = (0...rate.payloads).map { _ in dice.addressed(address, [1]) }
            let results = await clients.two.publish(burst)
            guard case .failure(let error) = results.last, let wait = error.retryAfter else {
                throw .failed(
                    "payload \(burst.count) of \(rate.payloads) in an epoch gave \(String(describing: results.last))")
            }
            try expect(wait > .zero && wait <= rate.epoch, "it names \(wait) of an epoch of \(rate.epoch)")
        }
        await checker.check("DS-06", "each payload of a batch has a result of its own") { dice async throws(Stop) in
            try applies(clients.two.limits.rate == nil, "a quota may refuse the batch")
            let address = dice.address()
            let results = await clients.two.publish((0..<7).map { dice.addressed(address, [$0]) })
            try expect(results.count == 7, "\(results.count) results for 7 payloads")
        }
        await checker.check("DS-11", "what was published before a subscription can be had, and after a cursor") {
            dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.offlineRetrieval), "offers no offline retrieval")
            let address = dice.address()
            for number in UInt8(0)..<4 { try await clients.publish([dice.addressed(address, [number])]) }
            let early = try await clients.subscribed([address: .earliest])
            let got = try await clients.receive(4, from: early)
            try expect(
                got.map(\.addressed.payload) == [[0], [1], [2], [3]],
                "the past is \(got.map(\.addressed.payload.array))")
            guard let cursor = got[1].cursor else { throw .failed("a delivery has no cursor") }
            let late = try await clients.subscribed([address: .after(cursor)])
            let rest = try await clients.receive(2, from: late)
            try expect(
                rest.map(\.addressed.payload) == [[2], [3]],
                "after a cursor came \(rest.map(\.addressed.payload.array))")
        }
        await checker.check("DS-05", "payloads of one sender keep their order") { dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.ordering), "offers no order")
            let address = dice.address()
            let mailbox = try await clients.subscribed([address: .now])
            try await clients.publish((UInt8(0)..<100).map { dice.addressed(address, [$0]) })
            let got = try await clients.receive(100, from: mailbox)
            try expect(got.map(\.addressed.payload) == (0..<100).map { [$0] }, "the order changed")
        }
        return checker.report
    }
}

/// Two ends of a service.
private struct Ends {
    let one: any DeliveryService
    let two: any DeliveryService
    let patience: Duration

    func subscribe(_ addresses: [DeliveryAddress: Since], _ mailbox: Mailbox) async throws(Stop) {
        do { try await one.subscribe(addresses, into: mailbox) } catch { throw .failed("subscribing gave: \(error)") }
    }

    func subscribed(_ addresses: [DeliveryAddress: Since]) async throws(Stop) -> Mailbox {
        let mailbox = Mailbox()
        try await subscribe(addresses, mailbox)
        return mailbox
    }

    func publish(_ payloads: [Addressed]) async throws(Stop) {
        for result in await two.publish(payloads) {
            if case .failure(let error) = result { throw .failed("publishing gave: \(error)") }
        }
    }

    /// The first payloads that come, or fewer when patience ends.
    func receive(_ count: Int, from mailbox: Mailbox) async throws(Stop) -> [Delivery] {
        let reader = Task {
            var found: [Delivery] = []
            while found.count < count, let batch = await mailbox.next() { found += batch.deliveries }
            return found
        }
        let timer = Task {
            try await Task.sleep(for: patience)
            mailbox.close()
        }
        let found = await reader.value
        timer.cancel()
        try expect(found.count == count, "\(found.count) of \(count) payloads came within \(patience)")
        return found
    }
}

extension Dice {
    mutating func address() -> DeliveryAddress { DeliveryAddress(String(next(), radix: 16)) }

    mutating func addressed(_ address: DeliveryAddress, _ payload: Bytes) -> Addressed {
        Addressed(address, payload: payload, id: PayloadID(high: next(), low: next()))
    }
}
