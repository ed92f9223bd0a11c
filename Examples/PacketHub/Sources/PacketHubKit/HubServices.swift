import ChatModel
package import GRPCCore
import PacketStream

/// The four methods of the contract, on a hub.
package struct HubServices: RegistrableRPCService {
    private let hub: Hub

    package init(_ hub: Hub) { self.hub = hub }

    package func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for port in PacketPort.allCases {
            register(port.method, &router) { [hub] request, peer, writer in
                let (run, session) = try hub.enter(request.metadata, from: peer, port: port)
                try await Self.serve(run, session) {
                    for try await bytes in request.messages {
                        guard try run.receive(bytes, on: port, of: session) else { continue }
                        await Self.wait(session.portRoom) { run.isOverloaded(session) }
                    }
                    // A step that sends nothing more still receives; its control stream ends the session.
                    for await _ in session.portRoom.rings {}
                } writing: {
                    for await _ in session.port.rings {
                        let leaving = run.leaving(for: session)
                        try await writer.write(contentsOf: leaving.map { port.encode($0, .fromHub) })
                    }
                }
            }
        }
        register(PacketPort.control, &router) { [hub] request, peer, writer in
            let (run, session) = try hub.enter(request.metadata, from: peer, port: nil)
            try await Self.serve(run, session) {
                for try await bytes in request.messages {
                    guard try run.direct(bytes, of: session) else { continue }
                    await Self.wait(session.controlRoom) { run.isFlooded(session) }
                }
                session.end()
            } writing: {
                for await _ in session.control.rings {
                    let leaving = run.directives(for: session)
                    try await writer.write(contentsOf: leaving.map { $0.encoded(as: .response) })
                }
            }
        }
    }

    private typealias Messages = StreamingServerRequest<ChatModel.Bytes>

    private func register<Transport: ServerTransport>(
        _ method: MethodDescriptor, _ router: inout RPCRouter<Transport>,
        _ body: @escaping @Sendable (Messages, String, RPCWriter<ChatModel.Bytes>) async throws -> Void
    ) {
        router.registerHandler(forMethod: method, deserializer: BytesCoding(), serializer: BytesCoding()) {
            (request: Messages, context) in
            StreamingServerResponse(of: ChatModel.Bytes.self) { writer in
                try await body(request, context.remotePeer, writer)
                return [:]
            }
        }
    }

    /// Reads and writes until the session is over; whichever fails first ends both streams of the session.
    private static func serve(
        _ run: HubRun, _ session: Session, reading: @escaping @Sendable () async throws -> Void,
        writing: @escaping @Sendable () async throws -> Void
    ) async throws {
        let result: Result<Void, any Error>
        do {
            try await withRPCCancellationHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await reading() }
                    group.addTask { try await writing() }
                    try await group.next()
                    group.cancelAll()
                }
            } onCancelRPC: {
                session.end(RPCError(code: .cancelled, message: "the caller is gone"))
            }
            result = .success(())
        } catch {
            result = .failure(error)
            session.end(error as? RPCError)
        }
        run.leave(session)
        try session.checkEnding()
        try result.get()
    }

    /// Waits until there is room, or until the session is over.
    private static func wait(_ room: Bell, while isFull: () -> Bool) async {
        guard isFull() else { return }
        for await _ in room.rings {
            guard isFull() else { return }
        }
    }
}
