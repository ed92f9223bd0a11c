public import ChatModel

extension Conformance {
    /// Checks a delivery service (DS-01 to DS-18); what it does not offer or limit is not applicable.
    ///
    /// - Parameters:
    ///   - make: gives a fresh service that several clients share, or one client's end of it on each call
    ///     with the same number; payloads published at one end arrive at the others.
    ///   - patience: how long a payload may take.
    ///   - seed: makes the run repeatable.
    ///   - only: the ids of the checks to run; all where nil.
    public static func check(
        delivery make: (Int) async throws -> any DeliveryService, patience: Duration = .seconds(10), seed: UInt64 = 1,
        only: Set<String>? = nil
    ) async -> Report {
        let clients: Ends
        do {
            clients = Ends(one: try await make(0), two: try await make(1), patience: patience)
        } catch {
            return Report(
                component: "delivery service", name: "?", seed: seed,
                results: [.init(id: "DS-13", requirement: "the service starts", outcome: .failed("\(error)"))])
        }
        var checker = Checker("delivery service", clients.one.facts, seed: seed, only: only)
        checker.checkFacts()
        await checkSubscribers(clients, &checker)
        await checkRefusals(clients, &checker)
        await checkCapabilities(clients, &checker)
        await checkOrder(clients, &checker)
        await checkReplies(clients, &checker)
        return checker.report
    }

    private static func checkSubscribers(_ clients: Ends, _ checker: inout Checker) async {
        await checker.check("DS-01", "a payload of any size arrives at a subscriber") { dice async throws(Stop) in
            let address = dice.address()
            let mailbox = try await clients.subscribed([address: .now])
            for size in [0, 1, 500, 1_400, 40_000, clients.two.limits.maximumPayload]
            where size <= min(1 << 20, clients.two.limits.maximumPayload) {
                let payload = dice.bytes(size)
                try await clients.publish([dice.addressed(address, payload)])
                let got = try await clients.receive(1, from: mailbox)
                try expect(
                    got.first?.addressed.payload == payload,
                    "\(size) bytes arrived as \(got.map(\.addressed.payload.count))")
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
        await checker.check("DS-07", "payload, address and reply address are not looked into") {
            dice async throws(Stop) in
            let (address, reply) = (dice.address(), dice.address())
            let mailbox = try await clients.subscribed([address: .now])
            let lines = ["", "\n", "a\nb\r\n", "{\"a\":1}", "\u{0}\u{0}", "\u{7f}"].map { Bytes($0) }
            for payload in lines + [Bytes(Array(0...255)), [0xff, 0xfe], dice.bytes(64)] {
                let sent = Addressed(
                    address, payload: payload, id: PayloadID(high: dice.next(), low: dice.next()), replyAddress: reply)
                try await clients.publish([sent])
                let got = try await clients.receive(1, from: mailbox).first?.addressed
                try expect(got?.payload == payload, "\(payload.array) arrived as \(got?.payload.array ?? [])")
                try expect(got?.address == address, "it arrived on \(String(describing: got?.address))")
                let isPassed = got?.replyAddress == reply || got?.replyAddress == nil
                try expect(isPassed, "the reply address became \(String(describing: got?.replyAddress))")
            }
        }
        await checker.check("DS-08", "addresses that look alike are different domains, and odd ones are no harm") {
            dice async throws(Stop) in
            let name = dice.address().text
            let odd = [
                "/", "_", ".", "/..", "../", " ", "\n", "%2f", "A", "a", "\u{0}", "*",
                String(repeating: "x", count: 300),
            ]
            let texts = odd.map { name + $0 } + ["../" + name, "/" + name, ""]
            for text in texts {
                let mailbox = Mailbox()
                // A service may say that it does not take such an address.
                do { try await clients.one.subscribe([DeliveryAddress(text): .now], into: mailbox) } catch { continue }
                let others = texts.filter { $0 != text }.map { dice.addressed(DeliveryAddress($0), [1]) }
                _ = await clients.two.publish(others)
                let result = await clients.two.publish([dice.addressed(DeliveryAddress(text), [2])])
                guard case .success? = result.first else { continue }
                let got = try await clients.receive(1, from: mailbox).map(\.addressed)
                try expect(got.map(\.payload) == [[2]], "'\(text)' got the payload of another address")
                try expect(got.map(\.address.text) == [text], "'\(text)' became \(got.map(\.address))")
                await clients.one.unsubscribe([DeliveryAddress(text)], from: mailbox)
            }
        }
        await checker.check("DS-04", "what a full mailbox does not take comes later, or a gap is reported") {
            dice async throws(Stop) in
            let address = dice.address()
            let mailbox = Mailbox(capacity: 4)
            try await clients.subscribe([address: .now], mailbox)
            let count = min(20, clients.two.limits.rate?.payloads ?? 20)
            for number in 0..<count { try await clients.publish([dice.addressed(address, [UInt8(number)])]) }
            let (found, isGone) = await clients.drain(mailbox, until: count)
            try expect(found == count || isGone, "\(found) of \(count) came, and no gap was reported")
        }
    }

    private static func checkRefusals(_ clients: Ends, _ checker: inout Checker) async {
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
    }

    private static func checkCapabilities(_ clients: Ends, _ checker: inout Checker) async {
        await checker.check("DS-11", "what was published before a subscription can be had") { dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.offlineRetrieval), "offers no offline retrieval")
            let address = dice.address()
            for number in UInt8(0)..<4 { try await clients.publish([dice.addressed(address, [number])]) }
            let got = try await clients.receive(4, from: try await clients.subscribed([address: .earliest]))
            let past = got.map(\.addressed.payload)
            try expect(Set(past) == [[0], [1], [2], [3]], "the past is \(past.map(\.array))")
        }
        await checker.check("DS-11b", "after a cursor comes what was published after it, and nothing before") {
            dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.offlineRetrieval), "offers no offline retrieval")
            let address = dice.address()
            for number in UInt8(0)..<4 { try await clients.publish([dice.addressed(address, [number])]) }
            let got = try await clients.receive(4, from: try await clients.subscribed([address: .earliest]))
            guard let cursor = got[1].cursor else { throw .failed("a delivery has no cursor") }
            try expect(cursor.bytes.count <= 64, "a cursor has \(cursor.bytes.count) bytes")
            let rest = try await clients.receive(2, from: try await clients.subscribed([address: .after(cursor)]))
            let (expected, found) = (got[2...].map(\.addressed.payload), rest.map(\.addressed.payload))
            try expect(found == Array(expected), "after a cursor came \(found.map(\.array))")
        }
        await checker.check("DS-11c", "no more is retained than stated, and the newest of it") {
            dice async throws(Stop) in
            guard let kept = clients.one.limits.retention else { throw .notApplicable("states no retention") }
            try applies(kept.payloads <= 2_000, "retains \(kept.payloads) payloads, too many to try")
            try applies(clients.two.limits.rate == nil, "has a quota")
            let address = dice.address()
            let total = kept.payloads + 10
            for start in stride(from: 0, to: total, by: 100) {
                let numbers = start..<min(total, start + 100)
                try await clients.publish(numbers.map { dice.addressed(address, Bytes("\($0)")) })
            }
            let mailbox = try await clients.subscribed([address: .earliest])
            let (found, _) = await clients.drain(mailbox, until: kept.payloads)
            try expect(found > 0, "nothing was kept")
            let (more, _) = await clients.drain(mailbox, until: 1, lasting: .milliseconds(200))
            try expect(found + more <= kept.payloads, "more than the \(kept.payloads) payloads that are kept came")
        }
        await checker.check("DS-05", "payloads of one sender keep their order, where that is offered") {
            dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.ordering), "offers no order")
            let address = dice.address()
            let mailbox = try await clients.subscribed([address: .now])
            let count = UInt8(min(100, clients.two.limits.rate?.payloads ?? 100))
            try await clients.publish((0..<count).map { dice.addressed(address, [$0]) })
            let got = try await clients.receive(Int(count), from: mailbox)
            try expect(got.map(\.addressed.payload) == (0..<count).map { [$0] }, "the order changed")
        }
        await checker.check("DS-06b", "what was acknowledged arrives, where that is offered") {
            dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.acknowledgement), "acknowledges nothing")
            let address = dice.address()
            let mailbox = try await clients.subscribed([address: .now])
            let results = await clients.two.publish((UInt8(0)..<50).map { dice.addressed(address, [$0]) })
            let count = results.filter { if case .success = $0 { true } else { false } }.count
            _ = try await clients.receive(count, from: mailbox)
        }
    }
}

/// Two ends of a service.
struct Ends {
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

    /// How many payloads come, read in small batches, and whether a gap was reported; ends early when all came.
    func drain(_ mailbox: Mailbox, until count: Int, lasting: Duration? = nil) async -> (found: Int, isGone: Bool) {
        let reader = Task {
            var (found, isGone) = (0, false)
            while found < count, !isGone, let batch = await mailbox.next() {
                found += batch.deliveries.count
                isGone = isGone || batch.notices.contains { if case .gone = $0 { true } else { false } }
            }
            return (found, isGone)
        }
        let timer = Task {
            try await Task.sleep(for: lasting ?? patience)
            mailbox.close()
        }
        defer { timer.cancel() }
        return await reader.value
    }

    /// The first payloads that come; fails when fewer come before patience ends.
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
