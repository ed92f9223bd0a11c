import AgentChat
import ChatModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// The socket of one address, made again whenever it is lost.
actor WebSocketLink {
    typealias Socket = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    private let service: ServiceAddress
    private let address: DeliveryAddress
    private var mailboxes: [Mailbox] = []
    private var outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>?
    private var channel: (any Channel)?
    private var task: Task<Void, Never>?
    /// Somebody said on this connection that they are there.
    private var isGreeted = false
    /// The connection is closed to be made anew, which is no loss.
    private var isRenewed = false
    private var wasLost = false

    init(_ service: ServiceAddress, _ address: DeliveryAddress) { (self.service, self.address) = (service, address) }

    func add(_ mailbox: Mailbox) {
        if !mailboxes.contains(where: { $0 === mailbox }) { mailboxes.append(mailbox) }
        if task == nil { task = Task { await run() } }
    }

    /// Whether it was the last.
    func remove(_ mailbox: Mailbox) -> Bool {
        mailboxes.removeAll { $0 === mailbox }
        guard mailboxes.isEmpty else { return false }
        task?.cancel()
        channel?.close(promise: nil)
        return true
    }

    func greet() -> Bool {
        defer { isGreeted = true }
        if isGreeted, let channel {
            isRenewed = true
            channel.close(promise: nil)
        }
        return true
    }

    func send(_ payload: Bytes) async -> Bool {
        guard let outbound, !isRenewed else { return false }
        return (try? await outbound.write(Self.frame(.text, payload.array))) != nil
    }

    private func run() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            var reason = "closed"
            do {
                if let socket = try await connect() {
                    backoff.reset()
                    reason = try await serve(socket) ?? reason
                } else {
                    reason = "refused"
                }
            } catch { reason = "\(error)" }
            (outbound, channel) = (nil, nil)
            guard !isRenewed else {
                isRenewed = false
                continue
            }
            isGreeted = false
            if !wasLost { for mailbox in mailboxes { mailbox.notify(.interrupted(reason, on: address)) } }
            wasLost = true
            try? await Task.sleep(for: .milliseconds(backoff.next(random: .random(in: 0 ... .max))))
        }
    }

    private func serve(_ socket: Socket) async throws -> String? {
        try await socket.executeThenClose { inbound, outbound in
            (self.outbound, channel) = (outbound, socket.channel)
            // Before anything of the new connection comes, its machine is to know that there is one.
            if wasLost { for mailbox in mailboxes { mailbox.notify(.resumed(on: address)) } }
            wasLost = false
            var pieces: [UInt8] = []
            for try await frame in inbound {
                switch frame.opcode {
                case .text, .continuation:
                    pieces += Array(frame.unmaskedData.readableBytesView)
                    guard pieces.count <= AgentJSON.maximumFrame else { return "a frame is too long" }
                    guard frame.fin else { continue }
                    await deliver(Bytes(pieces))
                    pieces = []
                case .ping: try await outbound.write(Self.frame(.pong, Array(frame.unmaskedData.readableBytesView)))
                case .connectionClose:
                    var data = frame.unmaskedData
                    let code = data.readWebSocketErrorCode().map { UInt16(webSocketErrorCode: $0) }
                    return "closed with \(code ?? 1005)"
                default: break
                }
            }
            return nil
        }
    }

    /// A mailbox that is full has the socket wait.
    private func deliver(_ payload: Bytes) async {
        let delivery = Delivery(Addressed(address, payload: payload))
        for mailbox in mailboxes {
            while mailbox.offer([delivery]) == 0, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
        }
    }

    private static func frame(_ opcode: WebSocketOpcode, _ bytes: [UInt8]) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: ByteBuffer(bytes: bytes))
    }

    /// A socket; nil where the service answered with something else.
    private func connect() async throws -> Socket? {
        let fields = HTTPHeaders(service.headers)
        let path = "/api/v2/chat/" + Self.escaped(address.text)
        let result = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .connect(host: service.host, port: service.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = NIOTypedWebSocketClientUpgrader<Socket?>(
                        maxFrameSize: AgentJSON.maximumFrame,
                        upgradePipelineHandler: { channel, _ in
                            channel.eventLoop.makeCompletedFuture {
                                try Socket(wrappingChannelSynchronously: channel)
                            }
                        })
                    let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: fields)
                    let configuration = NIOTypedHTTPClientUpgradeConfiguration<Socket?>(
                        upgradeRequestHead: head, upgraders: [upgrader],
                        notUpgradingCompletionHandler: { channel in
                            channel.close(promise: nil)
                            return channel.eventLoop.makeSucceededFuture(nil)
                        })
                    return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                        configuration: .init(upgradeConfiguration: configuration))
                }
            }
        return try await result.get()
    }

    private static func escaped(_ text: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return text.utf8.reduce(into: "") { result, byte in
            if plain.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}
