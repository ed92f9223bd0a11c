import ChatModel
import PacketStream
import TestSupport
import Testing

struct SessionStartTests {
    private func ready(_ capabilities: String?) -> ControlMessage {
        ControlMessage(.ready, metadata: capabilities.map { [PacketHandshake.capabilitiesKey: $0] } ?? [:])
    }

    @Test(arguments: [("none", true), (" NONE ", true), ("required", false), ("Required", false)])
    func `packets come when the connector is ready, and has said what it promised to say (SA-60, SA-61)`(
        stated: String, isEnough: Bool
    ) throws {
        var handshake = PacketHandshake()
        #expect(throws: PacketViolation.self) { try handshake.packet() }
        try handshake.check(protocol: "1.0.0")
        try handshake.receive(ready(stated))
        #expect(handshake.isRunning == isEnough)
        try handshake.receive(ControlMessage(.capabilities, metadata: ["audio": "opus"]))
        #expect(handshake.isRunning && handshake.capabilities == ["audio": "opus"])
        try handshake.packet()
        #expect(throws: PacketViolation.self) { try handshake.check(protocol: "1.0.0") }
    }

    @Test(arguments: [nil, "", "maybe", "legacy"])
    func `capabilities that are not stated, or otherwise, end the start (SA-60)`(stated: String?) {
        var handshake = PacketHandshake()
        let before = handshake
        let violation = #expect(throws: PacketViolation.self) { try handshake.receive(ready(stated)) }
        #expect(violation?.rule == .handshake && handshake == before)
    }

    @Test func `a directive outside its bounds changes nothing (SA-61)`() {
        var handshake = PacketHandshake()
        let long = ControlMessage(.ready, metadata: [String(repeating: "k", count: 129): "none"])
        let violation = #expect(throws: PacketViolation.self) { try handshake.receive(long) }
        #expect(violation?.rule == .tooEarly && handshake == PacketHandshake())
    }

    @Test func `whatever 20,000 hostile directives do, a start runs only after ready (SA-61)`() {
        let valid = [ready("required"), ready("none"), ControlMessage(.capabilities)].map {
            $0.encoded(as: .response).array
        }
        var inputs = HostileInputs(seed: 14, valid: valid, longest: 48)
        var running = 0
        inputs.forEach(20_000) { bytes in
            var handshake = PacketHandshake()
            guard let message = try? ControlMessage(decoding: Bytes(bytes), as: .response) else { return }
            try? handshake.receive(message)
            guard handshake.isRunning else { return }
            running += 1
            #expect(message.name == ControlAction.ready.name)
        }
        #expect(running > 0)
    }

    private let json =
        #"{"name":"live","namespace":"chat","binding":{"transport_ref":"live-grpc","driver":"grpc","endpoint":"127.0.0.1:50051","codecs":["opus"],"protocol_version":"1.0.0"}}"#

    @Test func `a binding is read from the environment or a file, and written as it was (PS-10)`() async throws {
        let binding = PacketBinding(
            namespace: "chat", name: "live", reference: "live-grpc", driver: "grpc", endpoint: "127.0.0.1:50051",
            codecs: ["opus"])
        #expect(try PacketBinding(json: Array(json.utf8)) == binding && binding.json == Array(json.utf8))
        let direct = try PacketBindings(environment: [PacketBinding.variable: json])
        let text = json
        let file = try PacketBindings(environment: [PacketBinding.variable: "/etc/binding.json"]) { path in
            path == "/etc/binding.json" ? Array(text.utf8) : nil
        }
        for discovery in [direct, file] {
            var found: [Introduction] = []
            for try await answer in try await discovery.find("chat/live") { found += answer }
            #expect(found.map(\.bundles) == [[PacketBindings.bundle(for: binding)]])
        }
        #expect(throws: DiscoveryError.self) { try PacketBindings(environment: [:]) }
        await #expect(throws: DiscoveryError.self) { try await direct.find("chat/other") }
        await #expect(throws: DiscoveryError.self) { try await direct.publish([], as: "chat/live") }
    }

    @Test(arguments: [
        #"{"name":"live","namespace":"chat","binding":{"transport_ref":"r","driver":"grpc","endpoint":"saro:secret@host:1"}}"#,
        #"{"name":"live","namespace":"chat","binding":{"driver":"grpc","endpoint":"host:1"}}"#,
        #"{"name":"live","namespace":"chat"}"#, #"{"name":"","namespace":"chat","binding":{}}"#, "[]", "{",
    ])
    func `a binding with a secret, or without what it needs, is refused (PS-10)`(json: String) {
        #expect(throws: DiscoveryError.self) { try PacketBinding(json: Array(json.utf8)) }
    }

    @Test func `what stands beside the known keys of a binding is not kept (PS-10)`() throws {
        let extra = json.replacing("\"driver\"", with: "\"token\":\"s3cret\",\"driver\"")
        let binding = try PacketBinding(json: Array(extra.utf8))
        #expect(binding.json == Array(json.utf8) && !"\(binding)".contains("s3cret"))
    }
}
