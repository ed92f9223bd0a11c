import ChatDeliveryService
import ChatDiscovery
import ChatModel
import ChatSimulation
import Testing

/// The directory over services other than a well-behaved one in memory.
@Suite struct DirectoryServicesTests {
    @Test(.timeLimit(.minutes(30))) func `a relay keeps entries for those who come later (DS-11)`() async throws {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        defer { relay.close() }
        func client() async throws -> UDPDeliveryService { try await UDPDeliveryService(relay: relay.address) }
        let service = try await client()
        let raya = try DirectoryDiscovery(over: service, signingWith: seed(1), settling: .milliseconds(50))
        let texts = try await raya.publish([bundle(1), bundle(2)], as: "raya")
        let saro = try DirectoryDiscovery(over: try await client(), settling: .milliseconds(50))
        var answers = try await saro.find(texts[0]).makeAsyncIterator()
        #expect(try await answers.next()?.bytes == [1, 2])
        _ = try await raya.publish([bundle(3)], as: "raya")
        #expect(try await answers.next()?.bytes == [3])

        // A restart of Raya, who finds out what she said last.
        service.close()
        let again = try DirectoryDiscovery(
            over: try await client(), signingWith: seed(1), settling: .milliseconds(200), clock: { .zero })
        _ = try await again.publish([bundle(4)], as: "raya")
        #expect(try await answers.next()?.bytes == [4])
    }

    @Test(.timeLimit(.minutes(30))) func `repeats and disorder change nothing (DS-04, DS-05)`() async throws {
        for faultSeed in 0..<8 as Range<UInt64> {
            let service = FaultyDeliveryService(
                InMemoryDeliveryService(), faults: .init(duplication: 0.5, reordering: 0.5), seed: faultSeed)
            func directory(_ byte: UInt8?) throws -> DirectoryDiscovery {
                try DirectoryDiscovery(
                    over: service, signingWith: byte.map(seed), settling: .milliseconds(5), timeout: .seconds(5))
            }
            let raya = try directory(1)
            for byte in 1...4 as ClosedRange<UInt8> { _ = try await raya.publish([bundle(byte)], as: "raya") }
            await service.flush()
            #expect(try await directory(nil).first("raya")?.bytes == [4], "seed \(faultSeed)")
        }
    }
}
