import ChatCodec
import ChatModel
import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import PacketStream
import Synchronization

/// Where a step's hub is, and who the step is.
package struct StepSettings: Sendable {
    package var host = "127.0.0.1"
    package var port = 50_051
    package var namespace = "default", run = "run", step: String
    /// The binding that streams state, as namespace and name.
    package var binding = "default/packet-hub"
    package var stream = PacketPort.process
    package var mode = PacketMode.canonical
    package var token: String?
    package var certificates: Certificates
    /// Tries until a packet is delivered; negative for no end.
    package var retries = 10
    package var handshakeLimit = PacketHandshake.limit

    package init(step: String, certificates: Certificates) {
        (self.step, self.certificates) = (step, certificates)
    }

    func metadata(connector: String) -> GRPCCore.Metadata {
        var metadata: GRPCCore.Metadata = [
            PacketHandshake.protocolKey: .string(PacketHandshake.protocolVersion),
            PacketHandshake.bindingKey: .string(binding), StreamKey.namespace: .string(namespace),
            StreamKey.run: .string(run), StreamKey.step: .string(step), StreamKey.connector: .string(connector),
        ]
        if let token { metadata.addString("Bearer \(token)", forKey: StreamKey.authorization) }
        return metadata
    }
}

/// Why a step ends although it was not asked to.
package enum StepFailure: Error, CustomStringConvertible {
    /// The hub refused it, which will not change by another try.
    case refused(String)
    /// The hub could not be reached, in all tries.
    case unreachable(String)

    package var description: String {
        switch self {
        case .refused(let why): "the hub refused: \(why)"
        case .unreachable(let why): "the hub cannot be reached: \(why); start it, or give its --hub"
        }
    }
}

/// A step at its hub: keeps a session, and comes back where one is lost.
package final class Step: Sendable {
    /// What an application makes of a packet: the packets that answer it.
    package typealias Application = @Sendable (Packet) async -> [Packet]

    private let settings: StepSettings
    /// A lock and no actor: what a message needs is short.
    private let state: Mutex<StepState>
    private let room = Bell()
    private let deliveries: AsyncStream<PacketReceiver.Delivery>
    private let log: Log

    package init(_ settings: StepSettings, log: Log) {
        self.settings = settings
        let (deliveries, feed) = AsyncStream<PacketReceiver.Delivery>.makeStream(
            // Counted packets are fewer, or the session ends; others have no promise.
            bufferingPolicy: .bufferingOldest(Deduplication.limit))
        self.deliveries = deliveries
        var hub = HubSettings()
        hub.mode = settings.mode
        // A process numbers streams of its own: it does not remember the numbers of the one before it (PS-14).
        let stream = "\(settings.step)/" + String(UInt64.random(in: .min ... .max), radix: 36)
        state = Mutex(StepState(stream: stream, hub, feed, room: room))
        self.log = log
    }

    /// Sends a packet of the step's own, once there is room for it.
    package func send(_ packet: Packet) async throws { try await send(packet, answering: nil) }

    private func send(_ packet: Packet, answering delivery: PacketReceiver.Delivery?) async throws {
        while try !state.withLock({ state throws(PacketViolation) in try state.send(packet, answering: delivery) }) {
            for await _ in room.rings { break }
            try Task.checkCancellation()
        }
    }

    /// Waits until every packet has a receipt.
    package func settle() async throws {
        while state.withLock({ $0.waiting }) > 0 { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Runs until it is cancelled, or until no other try can help.
    package func run(_ application: @escaping Application) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.work(application) }
            group.addTask { try await self.connect() }
            group.addTask {
                while true {
                    try await Task.sleep(for: .milliseconds(100))
                    self.state.withLock { $0.tick(on: self.settings.stream) }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func work(_ application: Application) async throws {
        for await delivery in deliveries {
            let answers = await application(delivery.packet)
            // What was given up half-way is not done: it has no answer and no receipt, and comes again.
            try Task.checkCancellation()
            for answer in answers {
                do { try await send(answer, answering: delivery) } catch let violation as PacketViolation {
                    log("answer_refused", [("why", .string(violation.description))])
                }
            }
            state.withLock { $0.finish(delivery, on: settings.stream) }
        }
        try Task.checkCancellation()
    }

    private func connect() async throws {
        var backoff = Backoff(Backoff.Policy(retries: settings.retries))
        var generator = SystemRandomNumberGenerator()
        while true {
            let failure: RPCError
            do {
                try await session()
                failure = RPCError(code: .unavailable, message: "the hub ended the session")
            } catch let error as RPCError {
                failure = error
            } catch let error as RuntimeError {
                failure = RPCError(code: .unavailable, message: "\(error)")
            }
            try Task.checkCancellation()
            if state.withLock({ $0.hasDelivered }) { backoff.delivered() }
            let code = StreamFailure.Code(rawValue: failure.code.rawValue) ?? .unknown
            guard StreamFailure.code(code).isRetriable else { throw StepFailure.refused(failure.message) }
            guard let pause = backoff.fail(.code(code)) else { throw StepFailure.unreachable(failure.message) }
            let drawn = backoff.jittered(pause, using: &generator)
            log(
                "session_lost",
                [
                    ("code", .string("\(failure.code)")), ("why", .string(failure.message)),
                    ("again_after_ms", JSON(drawn)),
                ])
            try await Task.sleep(for: .milliseconds(drawn))
        }
    }
}

// A session.
extension Step {
    private func session() async throws {
        let connector = String(UInt64.random(in: .min ... .max), radix: 36)
        let session = Session(PacketHub.Session(step: settings.step, connector: connector))
        state.withLock { $0.begin(session) }
        let transport = try HTTP2ClientTransport.Posix(
            target: .dns(host: settings.host, port: settings.port),
            transportSecurity: settings.certificates.client,
            config: .defaults { $0.http2.targetWindowSize = 1 << 20 })
        let metadata = settings.metadata(connector: connector)
        try await withGRPCClient(transport: transport) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.packets(client, metadata, session) }
                group.addTask { try await self.control(client, metadata, session) }
                group.addTask {
                    try await Task.sleep(for: self.settings.handshakeLimit)
                    try self.state.withLock { try $0.checkStart() }
                    for await _ in session.portRoom.rings {}
                }
                group.addTask {
                    while true {
                        try await Task.sleep(for: .seconds(30))
                        self.state.withLock { $0.direct(ControlMessage(.heartbeat)) }
                    }
                }
                defer {
                    session.end()
                    group.cancelAll()
                }
                try await group.next()
            }
            try session.checkEnding()
        }
    }

    private var options: CallOptions {
        var options = CallOptions.defaults
        options.maxResponseMessageBytes = Bounds.maximumMessage
        options.waitForReady = false
        return options
    }

    private func packets(
        _ client: GRPCClient<HTTP2ClientTransport.Posix>, _ metadata: GRPCCore.Metadata, _ session: Session
    ) async throws {
        let port = settings.stream
        let request = StreamingClientRequest(of: ChatModel.Bytes.self, metadata: metadata) { writer in
            for await _ in session.port.rings {
                let leaving = self.state.withLock { $0.leaving(on: port) }
                try await writer.write(contentsOf: leaving.map { port.encode($0, .toHub) })
            }
        }
        try await client.bidirectionalStreaming(
            request: request, descriptor: port.method, serializer: BytesCoding(), deserializer: BytesCoding(),
            options: options
        ) { response in
            // Nothing orders the two streams: a packet may overtake the word that the start is over (section 7.1).
            for await _ in session.started.rings { break }
            for try await bytes in response.messages { try self.state.withLock { try $0.receive(bytes, on: port) } }
        }
    }

    private func control(
        _ client: GRPCClient<HTTP2ClientTransport.Posix>, _ metadata: GRPCCore.Metadata, _ session: Session
    ) async throws {
        let port = settings.stream
        let request = StreamingClientRequest(of: ChatModel.Bytes.self, metadata: metadata) { writer in
            for await _ in session.control.rings {
                let leaving = self.state.withLock { $0.takeDirectives() }
                try await writer.write(contentsOf: leaving.map { $0.encoded(as: .request) })
            }
        }
        try await client.bidirectionalStreaming(
            request: request, descriptor: PacketPort.control, serializer: BytesCoding(), deserializer: BytesCoding(),
            options: options
        ) { response in
            for try await bytes in response.messages { try self.state.withLock { try $0.direct(bytes, port: port) } }
        }
    }
}
