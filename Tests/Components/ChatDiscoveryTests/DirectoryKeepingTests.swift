import ChatDiscovery
import ChatModel
import TestSupport
import Testing

/// What was published stays to be found (DIR-10).
@Suite(.timeLimit(.minutes(30))) struct DirectoryKeepingTests {
    private let place = Place(WatchedService(keeping: 8))

    /// A directory that looks often, and does not take a busy machine for a loss.
    private func directory() throws -> DirectoryDiscovery {
        try place.directory(1, timeout: .seconds(2), checking: .milliseconds(30))
    }

    /// As many empty payloads as push out what else is kept under the name.
    private func flood() async throws {
        for _ in 0..<9 { try await place.service.put(Bytes(), under: "raya") }
    }

    @Test func `an entry that others pushed out is published again, as a newer one (DIR-10)`() async throws {
        let raya = try directory()
        let texts = try await raya.publish([bundle(1)], as: "raya")
        try await flood()
        try await eventually(within: .seconds(60)) { raya.statistics.publishedAgain == 1 }
        #expect(try await place.directory().first(texts[0])?.bytes == [1])
        let sequences = try place.service.published.map { try SignedDirectoryEntry($0.payload).entry.sequence }
        #expect(sequences == [1_700_000_000_000, 1_700_000_000_001])
        // And again, but not while it is found.
        try await Task.sleep(for: .milliseconds(200))
        #expect(raya.statistics.publishedAgain == 1)
        try await flood()
        try await eventually(within: .seconds(60)) { raya.statistics.publishedAgain == 2 }
    }

    @Test func `an entry whose time is nearly over is published again (DIR-10)`() async throws {
        let raya = try directory()
        let texts = try await raya.publish([bundle(1)], as: "raya")
        place.clock.now = place.clock.now + .seconds(7 * 86_400) + .milliseconds(-50)
        try await eventually(within: .seconds(60)) { raya.statistics.publishedAgain == 1 }
        place.clock.now = place.clock.now + .seconds(86_400)
        #expect(try await place.directory().first(texts[0])?.bytes == [1])
    }

    @Test func `what was withdrawn or replaced stays so, and a failure is made up for (DIR-5, DIR-10)`() async throws {
        let raya = try directory()
        let texts = try await raya.publish([bundle(1)], as: "raya")
        _ = try await raya.publish([bundle(2)], as: "raya")
        place.service.failure = .closed
        try await flood()
        try await Task.sleep(for: .milliseconds(150))
        #expect(raya.statistics.publishedAgain == 0)
        place.service.failure = nil
        try await eventually(within: .seconds(60)) { raya.statistics.publishedAgain == 1 }
        #expect(try await place.directory().first(texts[0])?.bytes == [2])
        _ = try await raya.publish([], as: "raya")
        try await flood()
        try await Task.sleep(for: .milliseconds(150))
        #expect(raya.statistics.publishedAgain == 1)
        await #expect(throws: DiscoveryError.notFound(texts[0])) { try await place.directory().first(texts[0]) }
    }

    @Test func `nobody looks after the entries of a directory that is gone`() async throws {
        weak var gone: DirectoryDiscovery?
        do {
            let raya = try directory()
            _ = try await raya.publish([bundle(1)], as: "raya")
            gone = raya
        }
        try await eventually(within: .seconds(60)) { gone == nil && place.service.subscriptions == 0 }
        try await flood()
        try await Task.sleep(for: .milliseconds(150))
        #expect(place.service.published.count == 1)
    }
}
