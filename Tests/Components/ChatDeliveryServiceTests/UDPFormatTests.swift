import ChatDeliveryService
import ChatModel
import Foundation
import TestSupport
import Testing

/// The hexadecimal words of the worked example in Specs/udp.md, one text for each datagram.
private func specified() throws -> [String] {
    let text = try String(contentsOf: Vectors.packageRoot.appending(path: "Specs/udp.md"), encoding: .utf8)
    let block = try #require(
        text.split(separator: "```").first { $0.contains("CHALLENGE\n") && $0.contains("client  01") })
    var datagrams: [String] = []
    for line in block.split(separator: "\n") {
        if line.hasPrefix("client") || line.hasPrefix("relay") { datagrams.append("") }
        guard !datagrams.isEmpty else { continue }
        // Columns 8 to 59 are bytes, the rest is for people.
        let words = line.dropFirst(8).prefix(52).split(separator: " ").prefix { $0.allSatisfy(\.isHexDigit) }
        datagrams[datagrams.count - 1] += words.joined()
    }
    return datagrams
}

/// Saro's client and a relay, and what goes between them.
private struct Example {
    private var relay = RelayCore(RelayLimits(), random: SeededRandom(5))
    private let address = NetworkAddress(v4: 0x0A00_0102, port: 40_000)
    let now = MonotonicInstant(microseconds: 31_000_000)
    var saro = ClientCore(
        name: "relay", relays: [VirtualNetwork.relayAddress], UDPConfiguration(), random: SeededRandom(1), now: .zero)
    private(set) var seen: [[UInt8]] = []

    mutating func exchange() {
        var batch = DatagramBatch()
        saro.write(into: &batch, now: now)
        for index in 0..<batch.count {
            let bytes = batch.datagram(index)
            seen.append(bytes)
            relay.receive(bytes.span, from: address, now: now)
        }
        batch.removeAll()
        relay.write(into: &batch, now: now)
        for index in 0..<batch.count {
            let bytes = batch.datagram(index)
            seen.append(bytes)
            saro.receive(bytes.span, from: VirtualNetwork.relayAddress, now: now)
        }
    }
}

@Test func `the worked example of the specification is what goes over the wire (UDP-1)`() throws {
    var example = Example()
    example.exchange()
    example.exchange()
    let payload = Addressed("hall", payload: [0xCA, 0xFE], id: PayloadID(high: 1, low: 2))
    example.saro.publish(payload, token: 1, now: example.now)
    example.exchange()
    let expected = try specified()
    #expect(expected.count == 6)
    for (bytes, text) in zip(example.seen, expected) {
        #expect(bytes.hex.hasPrefix(text))
        #expect(bytes.dropFirst(text.count / 2).allSatisfy { $0 == 0 })
        #expect(bytes.count == ([1, 3].contains(bytes[1]) ? 1_200 : text.count / 2))
    }
    #expect(example.seen.count == 6)
}

@Test(arguments: [
    ("127.0.0.1:9220", NetworkAddress(v4: 0x7F00_0001, port: 9_220)),
    ("[::1]:1", NetworkAddress(high: 0, low: 1, port: 1)),
    ("[::]:0", NetworkAddress(high: 0, low: 0, port: 0)),
    ("[2001:db8::5:0:0:6]:65535", NetworkAddress(high: 0x2001_0DB8 << 32, low: 0x0005_0000_0000_0006, port: 65_535)),
    ("[fe80::1%3]:2", NetworkAddress(high: 0xFE80 << 48, low: 1, port: 2, scope: 3)),
    ("[1:0:2:3:4:5:6:7]:9", NetworkAddress(high: 0x0001_0000_0002_0003, low: 0x0004_0005_0006_0007, port: 9)),
])
func `addresses are written as people write them`(text: String, address: NetworkAddress) {
    #expect(address.description == text)
}

@Test func `a quota belongs to an IPv4 address or to half of an IPv6 address (UDP-16)`() {
    let one = NetworkAddress(high: 7, low: 1, port: 1)
    #expect(one.host == NetworkAddress(high: 7, low: 2, port: 2).host)
    #expect(one.host != NetworkAddress(high: 8, low: 1, port: 1).host)
    #expect(NetworkAddress(v4: 1, port: 1).host == NetworkAddress(v4: 1, port: 2).host)
    #expect(NetworkAddress(v4: 1, port: 1).host != NetworkAddress(v4: 2, port: 1).host)
}
