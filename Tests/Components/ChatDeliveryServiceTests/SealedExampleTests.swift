import ChatCrypto
import ChatDeliveryService
import ChatModel
import Foundation
import TestSupport
import Testing

/// The worked example of Specs/udp-sealed.md, whose bytes were made by the Python implementation.
@Suite struct SealedExampleTests {
    /// What stands behind a name, without the breaks.
    private static func specified() throws -> [String: String] {
        let text = try String(contentsOf: Vectors.packageRoot.appending(path: "Specs/udp-sealed.md"), encoding: .utf8)
        let block = try #require(text.split(separator: "```").first { $0.contains("\nrelay name ") })
        var (found, name): ([String: String], String) = ([:], "")
        for line in block.split(separator: "\n") {
            let label = line.prefix(16).trimmingCharacters(in: .whitespaces)
            if !label.isEmpty { name = line.hasPrefix(" ") ? name.split(separator: "/")[0] + "/" + label : label }
            found[name, default: ""] += line.dropFirst(16)
        }
        return found
    }

    private static func digest(_ bytes: [UInt8]) -> String { hex(BLAKE2b.hash(count: 32, bytes)) }
    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
    private static func hex(_ secret: Secret) -> String {
        secret.lend { bytes in hex(bytes.indices.map { bytes[$0] }) }
    }

    @Test func `handshake and packets are the document's (UDP2-3, UDP2-4, UDP2-5, UDP2-8, UDP2-10)`() throws {
        let example = try Self.specified()
        let (own, client, answer) = try (
            X25519.keyPair(.repeating(0x11)), X25519.keyPair(.repeating(0x22)), X25519.keyPair(.repeating(0x33))
        )
        let id: UInt64 = 0x0102_0304_0506_0708
        #expect(Self.hex(own.publicKey.bytes) == example["relay key"])
        #expect(RelayName(place: "relay.example:9220", key: own.publicKey).description == example["relay name"])

        var noise = NoiseClient(prologue: SealedHandshake.prologue(id: id), relay: own.publicKey, ephemeral: client)
        let message = try noise.first(ClientParameters(window: 2 << 20, largestDatagram: 1_452).encoded())
        let hello = try SealedHandshake.hello(id: id, message: message, relay: own.publicKey, cookie: nil)
        #expect(Self.hex(Array(hello[..<42])) == example["HELLO"])
        #expect(Self.hex(Array(hello[42..<58])) + "…" == example["HELLO/sealed"])
        #expect(Self.hex(Array(hello[1_168..<1_184])) == example["HELLO/first code"])
        #expect(Self.hex(Array(hello[1_184...])) == example["HELLO/second code"])
        #expect(Self.digest(hello) == example["HELLO/digest"])

        let cookie = Secret.repeating(0x44, count: 16)
        let read = try SealedHandshake.readHello(hello, relay: own.publicKey)
        let retry = try SealedHandshake.retry(
            read, cookie: cookie, nonce: [UInt8](repeating: 0x55, count: 24), relay: own.publicKey)
        #expect(Self.hex(retry) == example["RETRY"])
        let again = try SealedHandshake.hello(id: id, message: message, relay: own.publicKey, cookie: cookie)
        #expect(Self.hex(Array(again[1_184...])) == example["HELLO again"])

        let limits = Welcome(
            epoch: 7, maximumPayload: 1 << 20, window: 2 << 20, idleMilliseconds: 30_000, ratePayloads: 0,
            rateMilliseconds: 0, retainedPayloads: 4_096, retainedBytes: 16 << 20,
            retainedMilliseconds: 604_800_000)
        let parameters = RelayParameters.welcome(
            SealedWelcome(
                id: 0x1112_1314_1516_1718, resetToken: [UInt8](repeating: 0x66, count: 16), largestDatagram: 1_452,
                limits: limits))
        let relay = try NoiseRelay(
            prologue: SealedHandshake.prologue(id: id), own: own, first: Array(again[read.message]))
        let (second, outcome) = try relay.second(parameters.encoded(), ephemeral: answer)
        let welcome = try SealedHandshake.welcome(id: id, message: second)
        #expect(Self.hex(Array(welcome[..<42])) == example["WELCOME"])
        #expect(Self.digest(welcome) == example["WELCOME/digest"])
        #expect(Self.hex(outcome.hash) == example["hash"])
        #expect(Self.hex(outcome.toRelay) == example["to relay"])
        #expect(Self.hex(outcome.toClient) == example["to client"])
        #expect(Self.hex(outcome.root) == example["root"])

        var sealer = try PacketSealer(PacketKey(sealing: outcome.toRelay, root: outcome.root, label: "to relay"))
        var packets: [[UInt8]] = [[], []]
        let (ping, padded): ([UInt8], [UInt8]) = ([1], [1, 0])
        _ = try sealer.seal(ping.span, id: 0x1112_1314_1516_1718, to: &packets[0])
        try sealer.advance(mixing: .repeating(0x77))
        _ = try sealer.seal(padded.span, id: 0x1112_1314_1516_1718, to: &packets[1])
        #expect(Self.hex(packets[0]) == example["PACKET 0"])
        #expect(Self.hex(packets[1]) == example["PACKET 1"])
    }
}
