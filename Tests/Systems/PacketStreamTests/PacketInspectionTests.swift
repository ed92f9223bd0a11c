import ChatCodec
import ChatModel
import Foundation
import PacketStream
import TestSupport
import Testing

/// What `packet-inspect` and `chat-inspect` say of captured packets.
struct PacketInspectionTests {
    private func bytes(_ hex: String) throws -> Bytes { Bytes(try Hex.decode(hex)) }

    @Test func `INSP-7: each packet of the vectors has the verdict of the decoder, and somebody who would change`()
        throws
    {
        let file = Vectors.packageRoot.appendingPathComponent("Specs/packet-stream/packets.json")
        let cases = try #require(
            try JSON(parsing: Array(Data(contentsOf: file)), maximumBytes: 16 << 20)["cases"]?.list)
        var refused = 0
        for one in cases {
            guard let hex = one["hex"]?.text, let name = one["message"]?.text,
                let message = PacketMessage(rawValue: name)
            else { continue }
            let inspection = PacketInspection(try bytes(hex), as: .packet(message))
            for (mode, verdict) in [("canonical", inspection.canonical), ("interop", inspection.interop)] {
                guard let rules = one[mode]?.list?.compactMap(\.text) else {
                    #expect(verdict.violation == nil, "\(one["id"]?.text ?? ""): \(mode)")
                    continue
                }
                #expect(rules.contains(verdict.violation?.code ?? ""), "\(one["id"]?.text ?? ""): \(mode)")
            }
            guard inspection.canonical.violation != nil else { continue }
            refused += 1
            #expect(!inspection.changes.isEmpty)
        }
        #expect(refused >= 20)
    }

    @Test func `INSP-7: a layout is found out`() throws {
        var samples = PacketSamples(seed: 5)
        for _ in 0..<200 {
            let packet = samples.next()
            let wire = try PacketV1().wire(packet)
            for message in PacketMessage.allCases {
                let inspection = PacketInspection(wire.encoded(as: message))
                #expect(inspection.canonical.violation == nil, "\(message): \(inspection.text)")
            }
            let process = PacketInspection(ProcessMessage(packet: wire).encoded)
            #expect(process.message == .process && process.canonical.violation == nil, "\(process.text)")
        }
    }

    @Test func `INSP-7: what SDK 0.1.5 mirrors is refused, read in interop mode, and is for four to change`() throws {
        let frame = BinaryFrame(
            payload: Bytes(#"{"kind":"data","messageId":"m-1","payload":{"a":1}}"#),
            mimeType: "application/vnd.bubu.packet+json")
        let wire = WirePacket(
            metadata: ["bubu.envelope.message_id": "m-1"], payload: ["a": 1], frame: .binary(frame))
        let inspection = PacketInspection(wire.encoded(as: .publishRequest))
        #expect(inspection.canonical.violation?.rule == .mirror && inspection.interop.violation == nil)
        #expect(inspection.hasShadow)
        #expect(Set(inspection.changes.map(\.repository)) == [.tractatus, .sdk, .hub, .engrams])
        #expect(inspection.json["canonical"]?["rule"] == "SA-12")
    }

    @Test(
        arguments: [
            (
                ControlMessage(.ready, metadata: ["startup.capabilities": "required"]),
                "connector.ready: capabilities required"
            ),
            (ControlMessage(.capabilities, metadata: ["mode": "canonical"]), "connector.capabilities: mode canonical"),
            (
                ControlMessage(.noop, flow: FlowControl(creditsMessages: 3, creditsBytes: 40, signal: .pause)),
                "noop; credit for 3 messages and 40 bytes, pause"
            ),
            (ControlMessage(.draining), "handoff.draining"),
            (ControlMessage(.error, failure: ControlMessage.Failure(code: 7, message: "no disk")), "error 7: no disk"),
            (ControlMessage(customAction: "light.on"), "custom action light.on"),
        ] as [(ControlMessage, String)])
    func `INSP-7: a directive is found out, and says what it asks for`(_ message: ControlMessage, _ text: String) {
        let inspection = PacketInspection(message.encoded(as: .response))
        #expect(inspection.message == .control && inspection.canonical.text == text)
        #expect(inspection.canonical == inspection.interop)
    }

    @Test func `INSP-7: receipts and answers say of what they are`() throws {
        let place = StreamEnvelope(stream: "s1", sequence: 7, partition: "p0")
        let receipt = try #require(Receipt(for: place, size: 42)).message
        #expect(
            PacketInspection(receipt.encoded(as: .request)).canonical.text
                == "downstream.delivered: number 7 of s1/p0, 42 bytes")
        let answer = try #require(receipt.ack(handled: false, reason: "late"))
        #expect(
            PacketInspection(answer.encoded(as: .response)).canonical.text
                == "ack of downstream.delivered: not handled, because late")
    }

    @Test func `INSP-7: a directive that breaks a rule is refused with it`() {
        let broken: [(ControlMessage, PacketRule)] = [
            (ControlMessage(.ready), .handshake),
            (ControlMessage(.ready, metadata: ["startup.capabilities": "maybe"]), .handshake),
            (ControlMessage(.stop, metadata: ["": "x"]), .bounds),
            (ControlMessage(.error, failure: ControlMessage.Failure(code: -1)), .bounds),
        ]
        for (message, rule) in broken {
            let inspection = PacketInspection(message.encoded(as: .response))
            #expect(inspection.message == .control && inspection.canonical.violation?.rule == rule)
            #expect(!inspection.changes.isEmpty)
        }
    }

    @Test func `INSP-7: every rule has somebody who would change`() {
        for rule in PacketRule.allCases { #expect(!PacketChange.changes(for: rule).isEmpty) }
    }

    @Test func `INSP-5: nothing of a packet does something to a terminal`() throws {
        let wire = WirePacket(frame: .binary(BinaryFrame(payload: [1], mimeType: "a/\u{1B}[2J")))
        let text = PacketInspection(wire.encoded(as: .dataPacket)).text
        #expect(!text.unicodeScalars.contains { $0.value == 0x1B })
    }
}
