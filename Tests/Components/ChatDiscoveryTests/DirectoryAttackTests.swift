import ChatCodec
import ChatDiscovery
import ChatModel
import TestSupport
import Testing

/// Entries that nobody means well with: what a service or another publisher can put on the address of a name.
@Suite struct DirectoryAttackTests {
    private let place = Place()

    @Test(.timeLimit(.minutes(30)))
    func `bad entries are ignored, counted by reason, and hide no good one (DISC-05, DIR-6)`() async throws {
        let good = try place.entry(1)
        var forged = good.array
        forged[20] ^= 1  // in the publisher's key
        var altered = good.array
        altered[altered.count - 1] ^= 1  // in the signature
        for bytes in [
            Array("no entry".utf8), [], Array(good.array.dropLast()), forged, altered, good.array + [0x08, 2],
        ] {
            try await place.service.put(Bytes(bytes), under: "raya")
        }
        try await place.service.put(place.entry(1, name: "pax", sequence: 1_800_000_000_000), under: "raya")
        try await place.service.put(place.entry(1, expiry: 1_700_000_000_000), under: "raya")
        try await place.service.put(good, under: "raya")
        try await place.service.put(good, under: "raya")
        try await place.service.put(place.entry(1, [bundle(9)], sequence: 1_699_999_999_999), under: "raya")
        try await place.service.put(place.entry(2, [bundle(8)]), under: "raya")

        let directory = try place.directory()
        let pinned = "raya@\(try text(of: 1))"
        #expect(try await directory.first(pinned)?.bytes == [1])
        #expect(directory.statistics.accepted == 1)
        #expect(
            directory.statistics.rejected == [
                .malformed: 3, .forged: 1, .otherPublisher: 2, .unsupported: 1, .otherName: 1, .expired: 1,
                .repeated: 1,
                .stale: 1,
            ])
        #expect(try await directory.first("raya")?.bytes == [1, 8])
    }

    @Test(.timeLimit(.minutes(30)))
    func `a forged entry with a higher number hides no honest one, before it nor behind (DIR-3, DIR-6)`()
        async throws
    {
        let future: UInt64 = 1_700_500_000_000
        let genuine = try place.entry(1, [bundle(9)], sequence: future)
        // A signature that is wrong, another's, and that of an older entry of the same publisher.
        var wrong = genuine.array
        wrong[wrong.count - 1] ^= 1
        let others = try place.entry(2, [bundle(9)], sequence: future).array.suffix(64)
        let older = try place.entry(1, [bundle(1)]).array.suffix(64)
        let forgeries = [wrong, genuine.array.dropLast(64) + others, genuine.array.dropLast(64) + older]
        for forged in forgeries { try await place.service.put(Bytes(forged), under: "raya") }
        try await place.service.put(place.entry(1, [bundle(1)]), under: "raya")
        for forged in forgeries { try await place.service.put(Bytes(forged), under: "raya") }
        let directory = try place.directory()
        for text in ["raya", "raya@\(try text(of: 1))"] {
            #expect(try await directory.first(text)?.bytes == [1])
        }
        #expect(directory.statistics.rejected == [.forged: 12])
        // Nor does its publisher number its next entry after what somebody else made up.
        let raya = try place.directory(1)
        _ = try await raya.publish([bundle(2)], as: "raya")
        #expect(try await directory.first("raya")?.bytes == [2])
        let sequences = try place.service.published.map { try SignedDirectoryEntry($0.payload).entry.sequence }
        #expect(sequences == [1_700_000_000_001])
    }

    @Test(.timeLimit(.minutes(30)))
    func `an entry older than one seen in an earlier search is refused (DIR-6)`() async throws {
        // Who never saw the newer one cannot know.
        try await place.service.put(place.entry(1, [bundle(1)], sequence: 10), under: "raya")
        #expect(try await place.directory().first("raya")?.bytes == [1])

        let later = Place()
        let remembering = try later.directory()
        try await later.service.put(later.entry(1, [bundle(2)], sequence: 20), under: "raya")
        #expect(try await remembering.first("raya")?.bytes == [2])
        try await later.service.put(later.entry(1, [bundle(1)], sequence: 10), under: "raya")
        #expect(try await remembering.first("raya")?.bytes == [2])
        #expect(remembering.statistics.rejected == [.stale: 1])
    }

    @Test(.timeLimit(.minutes(30)))
    func `a crowd under a name is bounded, those who came first stay, and a key is found among them`()
        async throws
    {
        for byte in 1...UInt8(DirectoryLimits.publishers + 2) {
            try await place.service.put(place.entry(byte, [bundle(byte)]), under: "raya")
        }
        let directory = try place.directory(settling: .milliseconds(150), timeout: .seconds(5))
        let found = try #require(try await directory.first("raya"))
        #expect(found.count == 64 && found.bytes == Set(1...64))
        #expect(directory.statistics.rejected == [.tooMany: 2])
        #expect(try await directory.first("raya@\(text(of: 66))")?.bytes == [66])
    }

    @Test(.timeLimit(.minutes(30)))
    func `the largest sequence there is can be published and is the last`() async throws {
        try await place.service.put(place.entry(1, [bundle(1)], sequence: .max), under: "raya")
        #expect(try await place.directory().first("raya")?.bytes == [1])
        await #expect(throws: DiscoveryError.self) { try await place.directory(1).publish([bundle(2)], as: "raya") }
    }

    @Test func `what a client remembers of publishers is bounded`() {
        var memory = DirectoryMemory()
        let names = (0..<(DirectoryLimits.remembered + 10)).compactMap { try? DirectoryName("raya\($0)") }
        let publisher = PublicKey([UInt8](repeating: 1, count: 32))
        for name in names {
            memory.see(5, of: publisher, under: name)
            memory.see(4, of: publisher, under: name)
        }
        #expect(memory[names[9], publisher] == nil)
        #expect(memory[names[10], publisher] == 5)
        #expect(memory[names[names.count - 1], publisher] == 5)
    }

    private func text(of byte: UInt8) throws -> String { Base64URL.encode(try key(byte).bytes) }
}
