import ChatCodec
import ChatModel
import PacketStream
import Testing

/// The six decisions of the contract, each with what it refuses and what it lets pass.
struct DecisionTests {
    private let reserved = "application/vnd.bubu.packet+json"

    private func envelope(_ text: String, metadata: Metadata = [:], payload: PacketObject? = nil) -> WirePacket {
        WirePacket(
            metadata: metadata, payload: payload,
            frame: .binary(BinaryFrame(payload: Bytes(text), mimeType: reserved)))
    }

    private func opaque(_ bytes: Bytes, _ type: String, payload: PacketObject? = nil) -> WirePacket {
        WirePacket(payload: payload, frame: .binary(BinaryFrame(payload: bytes, mimeType: type)))
    }

    /// The rule that a packet breaks in a mode.
    private func rule(_ packet: WirePacket, _ mode: PacketMode = .canonical) -> PacketRule? {
        do throws(PacketViolation) {
            _ = try PacketV1(mode).decode(packet)
            return nil
        } catch { return error.rule }
    }

    private func view(_ packet: WirePacket, _ mode: PacketMode = .canonical) throws -> Packet {
        guard case .packet(let view, _) = try PacketV1(mode).decode(packet) else { throw PacketViolation(.frame, "") }
        return view
    }

    @Test(arguments: ["[1,2]", "\"x\"", "7", "true", "null"])
    func `D1: payload and inputs are objects, or the packet is refused (SA-10)`(value: String) throws {
        for mode in PacketMode.allCases {
            #expect(rule(envelope(#"{"payload":\#(value)}"#), mode) == .objectsOnly)
            #expect(rule(envelope(#"{"payload":{},"inputs":\#(value)}"#), mode) == .objectsOnly)
        }
        #expect(throws: PacketViolation.self) { try PacketObject(try JSON(parsing: value)) }
        #expect(rule(envelope(#"{"payload":{}}"#)) == nil)
    }

    @Test func `D2: JSON that is no object travels as opaque bytes with their type (SA-14, SA-15)`() throws {
        let view = try view(opaque(Bytes("[1,2]"), "application/json"))
        #expect(view.payload == nil && view.carrier == .opaque(.init(Bytes("[1,2]"), mimeType: "application/json")))
        for mode in PacketMode.allCases { #expect(rule(opaque(Bytes("[1,2]"), ""), mode) == .mediaType) }
        let packet = Packet(carrier: .opaque(.init(Bytes("[1,2]"), mimeType: "application/json")))
        let bytes = try PacketV1().encode(packet, as: .publishRequest)
        #expect(try PacketV1().decode(bytes, as: .publishRequest) == .packet(packet, diagnostics: []))
    }

    @Test func `D3: the envelope's headers count, and a shadow that contradicts them is told (SA-20, SA-21)`() throws {
        let metadata: Metadata = ["bubu.envelope.message_id": "OLD", "bubu.envelope.timestamp_ms": "5", "lang": "fr"]
        let packet = envelope(#"{"messageId":"NEW","timestampMs":7,"payload":{}}"#, metadata: metadata)
        guard case .packet(let view, let diagnostics) = try PacketV1().decode(packet) else { return }
        #expect(view.messageID == "NEW" && view.timestamp == 7 && view.metadata == ["lang": "fr"])
        #expect(diagnostics == [.shadowConflict])
        #expect(throws: PacketViolation.self) { try PacketV1(rejectsShadowConflict: true).decode(packet) }
        let without = envelope(#"{"payload":{}}"#, metadata: metadata)
        #expect(try self.view(without).messageID == nil && self.view(without, .interop).messageID == "OLD")
        let sent = try PacketV1().wire(Packet(messageID: "m-1", payload: [:]))
        #expect(sent.metadata.isEmpty)
    }

    @Test(arguments: ["telemetry", "data", "chat.message.v1"])
    func `D4: only heartbeat, noop and hook may come alone (SA-30)`(kind: String) throws {
        for mode in PacketMode.allCases {
            #expect(rule(envelope(#"{"kind":"\#(kind)","metadata":{"a":"b"}}"#), mode) == .content)
            #expect(rule(envelope(#"{"kind":"\#(kind)","transports":[{"name":"live"}]}"#), mode) == .content)
        }
        #expect(throws: PacketViolation.self) { try PacketV1().wire(Packet(PacketKind(rawValue: kind))) }
        for alone in [PacketKind.heartbeat, .noop, .hook] {
            let view = try view(try PacketV1().wire(Packet(alone)))
            #expect(view == Packet(alone) && view.isDelivered == (alone == .hook))
        }
        #expect(rule(WirePacket(payload: ["a": 1])) == .noFrame)
    }

    @Test func `D5: opaque bytes have no structures beside them, in and out (SA-40)`() throws {
        let mirrored = opaque(Bytes(#"{"a":1}"#), "application/json", payload: ["a": 1])
        for mode in PacketMode.allCases { #expect(rule(mirrored, mode) == .opaqueAlone) }
        let packet = Packet(payload: ["a": 1], carrier: .opaque(.init([1], mimeType: "application/octet-stream")))
        let violation = #expect(throws: PacketViolation.self) { try PacketV1().wire(packet) }
        #expect(violation?.rule == .opaqueAlone)
        // Beside an envelope the SDK's mirror is refused, and in interop mode read if it says the same.
        let mirror = envelope(#"{"payload":{"a":1}}"#, payload: ["a": 1])
        #expect(rule(mirror) == .mirror && rule(mirror, .interop) == nil)
        #expect(rule(envelope(#"{"payload":{"a":1}}"#, payload: ["a": 2]), .interop) == .mirror)
    }

    @Test(arguments: ["v2", "V1", "1", ""])
    func `D6: one version of each part, all in one place; others are refused (SA-01, SA-60)`(version: String) throws {
        for mode in PacketMode.allCases {
            #expect(rule(envelope(#"{"version":"\#(version)","payload":{}}"#), mode) == .version)
        }
        #expect(throws: PacketViolation.self) { try PacketHandshake().check(protocol: version) }
        #expect(throws: PacketViolation.self) { try PacketHandshake().check(protocol: nil) }
        try PacketHandshake().check(protocol: " \(PacketHandshake.protocolVersion) ")
        guard case .binary(let frame)? = try PacketV1().wire(Packet(payload: [:])).frame else { return }
        #expect(try JSON(parsing: frame.payload.array)["version"] == "v1")
    }
}
