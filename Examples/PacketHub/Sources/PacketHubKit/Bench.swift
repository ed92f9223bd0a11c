import ChatCodec
import ChatModel
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import PacketStream
import Synchronization

/// How fast packets go through a hub, against a bare stream of grpc-swift with the same bytes, in one process.
package struct Bench: Sendable {
    /// Bytes of a packet's content, and packets of a run.
    package var size = 1_024, count = 20_000
    /// Steps that get what one step sends.
    package var downstreams = 1

    package init() {}

    /// Packets that all receivers had, each second.
    package struct Rates: Sendable {
        /// Through a hub, with receipts.
        package let hub: Double
        /// Over one bare stream to each receiver.
        package let bare: Double
    }

    /// Runs both.
    package func run() async throws -> Rates { Rates(hub: try await throughHub(), bare: try await bare()) }

    private func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let start = ContinuousClock.now
        try await body()
        let time = (ContinuousClock.now - start).components
        return Double(time.seconds) + Double(time.attoseconds) / 1e18
    }

    private var packet: Packet {
        let text = String(repeating: "x", count: size)
        return Packet(.data, payload: ["text": .string(text)])
    }

    private func throughHub() async throws -> Double {
        let certificates = try Certificates(certificate: nil, key: nil, authorities: nil)
        let server = HubServer(
            HubSettings(), host: "127.0.0.1", port: 0, certificates: certificates, gate: Gate(), log: Log { _ in })
        let (ports, port) = AsyncStream<Int>.makeStream()
        let serving = Task { try await server.run(statistics: nil) { port.yield($0) } }
        var listening = 0
        for await one in ports {
            listening = one
            break
        }
        func step(_ name: String) -> Step {
            var settings = StepSettings(step: name, certificates: certificates)
            settings.port = listening
            return Step(settings, log: Log { _ in })
        }
        let came = Tally()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<downstreams {
            let receiver = step("to-\(number)")
            tasks.append(
                Task {
                    try await receiver.run { _ in
                        came.add()
                        return []
                    }
                })
        }
        let sender = step("from")
        tasks.append(Task { try await sender.run { _ in [] } })
        let packet = packet
        // One packet before the clock runs: everybody is there, or it would not be done.
        try await sender.send(packet)
        try await sender.settle()
        try await Task.sleep(for: .milliseconds(500))
        try await sender.send(packet)
        try await sender.settle()
        let time = try await seconds {
            for _ in 0..<count { try await sender.send(packet) }
            try await sender.settle()
        }
        for task in tasks { task.cancel() }
        server.stop()
        try? await serving.value
        return Double(count) / time
    }

    private func bare() async throws -> Double {
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        let method = MethodDescriptor(
            service: ServiceDescriptor(package: "bench", service: "Bare"), method: "Stream",
            type: .bidirectionalStreaming)
        let bytes = ProcessMessage(packet: try PacketV1().wire(packet)).encoded
        let count = count
        router.registerHandler(forMethod: method, deserializer: BytesCoding(), serializer: BytesCoding()) {
            (request: StreamingServerRequest<ChatModel.Bytes>, _) in
            StreamingServerResponse(of: ChatModel.Bytes.self) { writer in
                for try await message in request.messages { try await writer.write(message) }
                return [:]
            }
        }
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext)
        let server = GRPCServer(transport: transport, router: router)
        let serving = Task { try await server.serve() }
        guard let port = try await transport.listeningAddress.ipv4?.port else { throw SetupError("no port") }
        let time = try await seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<downstreams {
                    group.addTask {
                        let client = try HTTP2ClientTransport.Posix(
                            target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
                        try await withGRPCClient(transport: client) { client in
                            let request = StreamingClientRequest(of: ChatModel.Bytes.self) { writer in
                                for _ in 0..<count { try await writer.write(bytes) }
                            }
                            try await client.bidirectionalStreaming(
                                request: request, descriptor: method, serializer: BytesCoding(),
                                deserializer: BytesCoding(), options: .defaults
                            ) { response in
                                for try await _ in response.messages {}
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        server.beginGracefulShutdown()
        try? await serving.value
        return Double(count) / time
    }
}

/// Counts from several tasks.
private final class Tally: Sendable {
    private let count = Atomic(0)

    func add() { count.add(1, ordering: .relaxed) }
}
