import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

@Suite struct DatagramBatchTests {
    private static let peers = [NetworkAddress(v4: 0x0A00_0001, port: 1), NetworkAddress(v4: 0x0A00_0001, port: 2)]

    private struct Sent: Equatable {
        let peer: NetworkAddress
        let source: NetworkAddress?
        let size: Int
    }

    /// What a system that cuts runs makes of one: datagrams of the first one's size, and the rest.
    private static func cut(_ run: Range<Int>, of batch: DatagramBatch) -> [Sent] {
        let bytes = run.reduce(0) { $0 + batch.datagram($1).count }
        let segment = batch.datagram(run.lowerBound).count
        return stride(from: 0, to: bytes, by: segment).map { start in
            Sent(
                peer: batch.peer(run.lowerBound), source: batch.source(run.lowerBound),
                size: min(segment, bytes - start))
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `runs are cut into the datagrams that were written, and no run could be longer`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var batch = DatagramBatch()
        var written: [Sent] = []
        for _ in 0..<Int.random(in: 1...DatagramBatch.capacity, using: &random) {
            let peer = Self.peers[Int.random(in: 0..<12, using: &random) == 0 ? 1 : 0]
            let source = Int.random(in: 0..<12, using: &random) == 0 ? Self.peers[0] : nil
            let size = Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 10...1_200, using: &random) : 1_200
            batch.begin(.data, session: 1)
            batch.append { $0.append(contentsOf: [UInt8](repeating: 7, count: size - 10)) }
            batch.end(to: peer, from: source)
            written.append(Sent(peer: peer, source: source, size: size))
        }
        var (next, sent): (Int, [Sent]) = (0, [])
        while next < batch.count {
            let run = batch.run(from: next)
            sent += Self.cut(run, of: batch)
            #expect(run.reduce(0) { $0 + batch.datagram($1).count } <= 65_507, "what IPv4 carries")
            if run.upperBound < batch.count, run.count < 54, batch.datagram(run.upperBound - 1).count == 1_200 {
                let after = written[run.upperBound]
                #expect(
                    after.peer != written[next].peer || after.source != written[next].source
                        || batch.datagram(next).count < after.size)
            }
            next = run.upperBound
        }
        #expect(sent == written)
    }
}
