import ChatCodec
import ChatDeliveryService
import ChatInspect
import ChatModel
import Foundation
import TestSupport
import Testing

private let client = NetworkAddress(v4: 0x7F00_0001, port: 40_000)
private let relay = NetworkAddress(v4: 0x7F00_0001, port: 9_220)
private let sixth = NetworkAddress(high: 0x2001_0DB8_0000_0000, low: 1, port: 9_220)

private func capture(_ seen: [SeenDatagram]) -> [UInt8] {
    seen.enumerated().reduce(Capture.header) {
        $0 + Capture.block($1.element, at: 1_700_000_000_000_000 + UInt64($1.offset))
    }
}

/// The datagrams of the vectors that are good, and their messages each in a datagram of its own.
func relayDatagrams() throws -> [[UInt8]] {
    let file = Vectors.packageRoot.appendingPathComponent("Specs/vectors/udp.json")
    let cases = try JSON(parsing: [UInt8](try Data(contentsOf: file)), maximumBytes: 1 << 24)["cases"]?.list ?? []
    return try cases.filter { $0["result"] == "valid" }.compactMap { one -> [UInt8]? in
        guard let bytes = try one["bytes"]?.text.map({ try Hex.decode($0) }), let operation = one["operation"]?.text
        else { return nil }
        guard operation.hasSuffix("message") else { return bytes }
        guard bytes.count <= 1_120 else { return nil }
        // DATA with packet 7 and one frame: message 0, which waits for none, whole.
        let header: [UInt8] = [1, 5] + [UInt8](repeating: 9, count: 8) + [0, 0, 0, 0, 0, 0, 0, 7]
        let size = [0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)]
        return header + [3] + [UInt8](repeating: 0, count: 12) + size + [0, 0] + bytes
    }
}

struct CaptureTests {
    @Test func `what is captured is read again, over both versions of IP`() throws {
        let seen = [
            SeenDatagram([1, 2, 3], from: client, to: relay), SeenDatagram([], from: relay, to: client),
            SeenDatagram([4], from: sixth, to: NetworkAddress(high: 0, low: 1, port: 7)),
        ]
        let file = try CaptureFile(capture(seen))
        #expect(file.datagrams.map(\.bytes.array) == seen.map(\.bytes))
        #expect(file.datagrams.map(\.source) == seen.map { "\($0.source)" })
        #expect(file.datagrams.map(\.destination) == seen.map { "\($0.destination)" })
        #expect(file.datagrams.map(\.microseconds) == [0, 1, 2].map { 1_700_000_000_000_000 + $0 })
        #expect(file.others == 0)
    }

    @Test func `headers are right to the byte`() throws {
        let block = Capture.block(SeenDatagram([0x68, 0x69], from: client, to: relay), at: 0)
        // Both sums were computed by another program.
        #expect(
            Hex.encode(Array(block[28..<58]))
                == "4500001e0000400040113ccd7f0000017f0000019c402404000ad929" + "6869")
    }

    @Test func `a line says what each datagram of the vectors carries`() throws {
        let all = try relayDatagrams()
        #expect(all.count > 10)
        let text = try CaptureFile(capture(all.map { SeenDatagram($0, from: client, to: relay) })).summary()
        let lines = text.split(separator: "\n")
        #expect(lines.count == all.count + 1 && lines.last == "\(all.count) UDP datagrams")
        for word in ["HELLO", "CHALLENGE", "WELCOME", "RESET", "DATA PUBLISH", "DATA RESULTS", "DELIVER", "ACK"] {
            #expect(lines.contains { $0.contains(word) }, "\(word)")
        }
        #expect(lines[0].hasPrefix("1  0.000000  127.0.0.1:40000 → 127.0.0.1:9220  "))
    }

    @Test func `a capture of Ethernet in the other byte order is read, and what is no datagram is counted`() throws {
        func big(_ value: Int, _ count: Int = 4) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
        }
        func block(_ type: Int, _ body: [UInt8]) -> [UInt8] {
            let body = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
            return big(type) + big(body.count + 12) + body + big(body.count + 12)
        }
        let whole = Capture.block(SeenDatagram([9], from: client, to: relay), at: 0)
        let packet = [UInt8](repeating: 0, count: 12) + [8, 0] + Array(whole[28..<57])
        let section = block(0x0A0D_0D0A, big(0x1A2B_3C4D) + big(1, 2) + big(0, 2) + big(-1, 8))
        // Times in nanoseconds.
        let interface = block(1, big(1, 2) + big(0, 2) + big(0) + big(9, 2) + big(1, 2) + [9, 0, 0, 0] + big(0))
        func enhanced(_ bytes: [UInt8]) -> [UInt8] {
            block(6, big(0) + big(0) + big(5_000) + big(bytes.count) + big(bytes.count) + bytes)
        }
        let file = try CaptureFile(section + interface + enhanced(packet) + enhanced([1, 2, 3]))
        #expect(file.datagrams.map(\.bytes.array) == [[9]] && file.others == 1)
        #expect(file.datagrams.first?.microseconds == 5)
    }

    @Test(.timeLimit(.minutes(30))) func `hostile captures are read or refused`() throws {
        let valid = capture([
            SeenDatagram([1, 2, 3], from: client, to: relay), SeenDatagram([4], from: sixth, to: sixth),
        ])
        var inputs = HostileInputs(seed: 14, valid: [valid])
        inputs.forEach(20_000) { bytes in
            guard let file = try? CaptureFile(bytes) else { return }
            _ = (file.summary(), file.isSound())
        }
    }
}

struct InputTests {
    @Test(arguments: [
        ("0a01g1", "not hex: 'g' at character 5 is no digit"), ("0a011", "not hex: 5 digits, and a byte has two"),
        ("0x0a011", "not hex: 5 digits, and a byte has two"),
        ("0a0102030405\u{200B}11", "not hex: byte 226 at character 13 is no digit"),
    ])
    func `a text that looks like hex and is not is told why`(text: String, reason: String) {
        let findings = Inspector().inspect(Input(Array(text.utf8)))
        #expect(findings.remark == reason)
        #expect(findings.text().split(separator: "\n").first?.hasSuffix("(\(reason))") == true)
        #expect(findings.json["remark"]?.text == reason)
    }

    @Test(arguments: ["0a0111", "0A:01", "0x0a01", "aGVsbG8gd29ybGQsIGhvdw", "logos_chatintro_1_AAAA"])
    func `other texts are not`(text: String) {
        #expect(Inspector().inspect(Input(Array(text.utf8))).remark == nil)
    }
}

@Test func `cases of conversations are opened with their keys, down to the frames`() throws {
    let path = Vectors.packageRoot.appendingPathComponent("Specs/vectors/private_v1.json")
    let file = try #require(
        VectorFile(try JSON(parsing: [UInt8](try Data(contentsOf: path)), maximumBytes: VectorFile.maximumBytes)))
    let talk = try #require(file.cases.first { $0.id == "both-ways-private-v1-compact" })
    let opened = talk.items.filter { $0.path.hasSuffix(", opened") }
    #expect(opened.count == 4, "\(talk.items.map(\.path))")
    #expect(opened.allSatisfy { $0.findings().isSound })
    #expect(opened[0].findings().text().contains("content: SegmentMessageProto"))
    #expect(opened[0].findings().text().contains("PrivateV1Frame"))
    // With the filter, too, where the case has the whole payloads.
    let whole = try #require(file.cases.first { $0.id == "whole-filters-private-v1" })
    #expect(whole.items.contains { $0.path.hasSuffix(", opened") && $0.findings().text().contains("bloom_filter") })
    #expect(file.mismatches().isEmpty)
}
