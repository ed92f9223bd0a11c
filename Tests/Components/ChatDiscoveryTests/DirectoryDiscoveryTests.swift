import ChatDeliveryService
import ChatDiscovery
import ChatModel
import Testing

@Suite struct DirectoryDiscoveryTests {
    private let place = Place()

    @Test(.timeLimit(.minutes(30)))
    func `what Raya publishes, Saro finds by name and by key (DISC-01, DIR-2)`() async throws {
        let bundles = [bundle(1), bundle(2, scheme: "chatintro_1"), IntroductionBundle(scheme: "x_1", bytes: [])]
        let texts = try await place.directory(1).publish(bundles, as: "Raya")
        #expect(texts.count == 1 && texts[0].hasPrefix("raya@") && texts[0].utf8.count == 48)
        for text in [texts[0], "raya", " RAYA "] {
            let found = try #require(try await place.directory().first(text))
            #expect(found.map(\.name) == ["raya"])
            #expect(found.map(\.publisher) == [try key(1)])
            #expect(found.first?.bundles == bundles)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `everybody who publishes under a name is found, and with a key one alone (DIR-7)`() async throws {
        let texts = try await place.directory(1).publish([bundle(1)], as: "raya")
        let others = try await place.directory(2).publish([bundle(2)], as: "raya")
        _ = try await place.directory(3).publish([bundle(3)], as: "pax")
        let found = try #require(try await place.directory().first("raya"))
        #expect(found.map(\.publisher) == [try key(1), try key(2)])
        #expect(try await place.directory().first(texts[0])?.bytes == [1])
        #expect(try await place.directory().first(others[0])?.bytes == [2])
        await #expect(throws: DiscoveryError.notFound("saro")) { try await place.directory().first("saro") }
    }

    @Test(.timeLimit(.minutes(30)))
    func `a newer entry replaces an older one, and readers get it (DIR-5)`() async throws {
        let raya = try place.directory(1)
        _ = try await raya.publish([bundle(1)], as: "raya")
        var answers = try await place.directory(timeout: .seconds(20)).find("raya").makeAsyncIterator()
        #expect(try await answers.next()?.bytes == [1])
        _ = try await raya.publish([bundle(2)], as: "raya")
        #expect(try await answers.next()?.bytes == [2])
        #expect(try await place.directory().first("raya")?.bytes == [2])
        _ = try await place.directory(2).publish([bundle(3)], as: "raya")
        #expect(try await answers.next()?.bytes == [2, 3])
    }

    @Test(.timeLimit(.minutes(30))) func `an entry without bundles withdraws earlier ones (DIR-5)`() async throws {
        let raya = try place.directory(1)
        let texts = try await raya.publish([bundle(1)], as: "raya")
        var answers = try await place.directory(timeout: .seconds(20)).find(texts[0]).makeAsyncIterator()
        #expect(try await answers.next()?.bytes == [1])
        _ = try await raya.publish([], as: "raya")
        #expect(try await answers.next() == [])
        await #expect(throws: DiscoveryError.notFound(texts[0])) { try await place.directory().first(texts[0]) }
    }

    @Test(.timeLimit(.minutes(30))) func `an answer may come after the settling time`() async throws {
        let saro = try place.directory(settling: .milliseconds(1), timeout: .seconds(20))
        async let found = saro.first("raya")
        try await Task.sleep(for: .milliseconds(30))
        _ = try await place.directory(1).publish([bundle(1)], as: "raya")
        #expect(try await found?.bytes == [1])
    }

    @Test(.timeLimit(.minutes(30)))
    func `bundles whose time is over are left out, and with the last one their publisher (DIR-8)`() async throws {
        let end = place.clock.now + .seconds(10)
        let texts = try await place.directory(1).publish([bundle(1), bundle(2, expiry: end)], as: "raya")
        _ = try await place.directory(2).publish([bundle(3, expiry: end)], as: "raya")
        #expect(try await place.directory().first("raya")?.bytes == [1, 2, 3])
        place.clock.now = end
        #expect(try await place.directory().first("raya")?.bytes == [1])
        place.clock.now = end + .seconds(7 * 86_400)
        await #expect(throws: DiscoveryError.notFound(texts[0])) { try await place.directory().first(texts[0]) }
    }

    @Test(.timeLimit(.minutes(30)))
    func `bundles of a scheme come in random order, schemes in the publisher's (DIR-8)`() async throws {
        let bundles = (0..<6).map { bundle($0) } + (6..<8).map { bundle($0, scheme: "chatintro_1") }
        _ = try await place.directory(1).publish(bundles, as: "raya")
        var firsts: Set<UInt8> = []
        for _ in 0..<20 {
            let found = try #require(try await place.directory(settling: .milliseconds(1)).first("raya")?.first)
            #expect(Set(found.bundles.prefix(6)) == Set(bundles.prefix(6)))
            #expect(Set(found.bundles.suffix(2)) == Set(bundles.suffix(2)))
            firsts.insert(found.bundles[0].bytes[0])
        }
        #expect(firsts.count > 1)
    }

    @Test(.timeLimit(.minutes(30))) func `a sequence grows though the clock goes back (DIR-4)`() async throws {
        let raya = try place.directory(1)
        _ = try await raya.publish([bundle(1)], as: "raya")
        place.clock.now = Timestamp(milliseconds: 1_600_000_000_000)
        _ = try await raya.publish([bundle(2)], as: "raya")
        #expect(try sequences() == [1_700_000_000_000, 1_700_000_000_001])
        // A restart: another value that remembers nothing.
        _ = try await place.directory(1).publish([bundle(3)], as: "raya")
        #expect(try sequences().last == 1_700_000_000_002)
        #expect(try await place.directory().first("raya")?.bytes == [3])
        place.clock.now = Timestamp(milliseconds: 1_800_000_000_000)
        _ = try await raya.publish([bundle(4)], as: "raya")
        #expect(try sequences().last == 1_800_000_000_000)
    }

    @Test(.timeLimit(.minutes(30))) func `another's entry does not push a publisher's sequence (DIR-4)`() async throws {
        try await place.service.put(place.entry(2, sequence: .max), under: "raya")
        _ = try await place.directory(1).publish([bundle(1)], as: "raya")
        #expect(try sequences() == [1_700_000_000_000])
    }

    @Test(.timeLimit(.minutes(30)))
    func `the same entry is the same payload, so that a service drops repeats`() async throws {
        _ = try await place.directory(1).publish([bundle(1)], as: "raya")
        _ = try await place.directory(1).publish([bundle(1)], as: "pax")
        let ids = place.service.published.map(\.id)
        #expect(Set(ids).count == 2 && !ids.contains(PayloadID(high: 0, low: 0)))
        let key = try key(1)
        #expect(
            place.service.published.map(\.address) == ["edd1cdfa05e7823e", try DirectoryName("pax").address], "\(key)")
    }

    @Test(.timeLimit(.minutes(30)))
    func `a service without retrieval is refused by both operations (DS-11)`() async throws {
        let place = Place(WatchedService(limits: DeliveryLimits(maximumPayload: 65_536)))
        let lacks = DiscoveryError.delivery(.lacks(.offlineRetrieval))
        await #expect(throws: lacks) { try await place.directory(1).publish([bundle(1)], as: "raya") }
        await #expect(throws: lacks) { try await place.directory().find("raya") }
        #expect(try place.directory().facts.needs == [.offlineRetrieval])
    }

    @Test(.timeLimit(.minutes(30))) func `a failure of the service is passed on with its words`() async throws {
        let raya = try place.directory(1)
        _ = try await raya.publish([bundle(1)], as: "raya")
        place.service.failure = .rateLimited(limit: 3, retryAfter: .seconds(9))
        let expected = DiscoveryError.delivery(.rateLimited(limit: 3, retryAfter: .seconds(9)))
        await #expect(throws: expected) { try await raya.publish([bundle(1)], as: "raya") }
        await #expect(throws: expected) { try await place.directory(1).publish([bundle(1)], as: "raya") }
        await #expect(throws: expected) { try await place.directory().first("raya") }
    }

    @Test(.timeLimit(.minutes(30))) func `publishing takes a seed of 32 bytes`() async throws {
        await #expect(throws: DiscoveryError.unsupported("publishing without a signing seed")) {
            try await place.directory().publish([bundle(1)], as: "raya")
        }
        let short = Secret(copying: [UInt8](repeating: 1, count: 31).span)
        #expect(throws: DiscoveryError.malformed("a signing seed has 32 bytes", at: 0)) {
            try DirectoryDiscovery(over: place.service, signingWith: short)
        }
        #expect(try place.directory(1).publisher == key(1))
    }

    @Test(.timeLimit(.minutes(30))) func `who stops reading ends the search (DISCOVERY-4)`() async throws {
        _ = try await place.directory(1).publish([bundle(1)], as: "raya")
        let directory = try place.directory()
        for try await _ in try await directory.find("raya") { break }
        try await eventually { place.service.subscriptions == 0 }

        let (answers, answer) = AsyncStream.makeStream(of: Void.self)
        let waiting = Task { for try await _ in try await directory.find("raya") { answer.yield() } }
        for await _ in answers { break }
        #expect(place.service.subscriptions == 1)
        waiting.cancel()
        try await waiting.value
        #expect(place.service.subscriptions == 0)
    }

    @Test(.timeLimit(.minutes(30))) func `a search that is over stays over`() async throws {
        var answers = try await place.directory().find("raya").makeAsyncIterator()
        await #expect(throws: DiscoveryError.notFound("raya")) { try await answers.next() }
        #expect(try await answers.next() == nil)
        #expect(place.service.subscriptions == 0)
    }

    /// The sequences of what was published, in order.
    private func sequences() throws -> [UInt64] {
        try place.service.published.map { try SignedDirectoryEntry($0.payload).entry.sequence }
    }
}

/// Waits until something holds; an issue if it does not within a time, which only a fault uses up.
func eventually(within time: Duration = .seconds(60), _ holds: () -> Bool) async throws {
    let end = ContinuousClock.now + time
    while !holds(), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(4)) }
    #expect(holds())
}
