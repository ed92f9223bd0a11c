import AgentChat
public import ChatModel

/// A delivery service over WebSockets: an address is a chat, a payload a text frame of the chat's socket.
///
/// A socket is made when an address is subscribed to, and made again, after growing pauses, as long as it is. Over a
/// socket the connection itself says that somebody is there, so the payload `{}` (section 7.5) is not sent: the first
/// behind a connection is taken as said, another one makes the connection anew, so that `ready` comes again.
public final class WebSocketDelivery: DeliveryService {
    private let service: ServiceAddress
    private let links = Lock<[DeliveryAddress: WebSocketLink]>([:])

    /// The sockets of a service.
    public init(_ service: ServiceAddress) { self.service = service }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: "websocket", summary: "One WebSocket for each address; what is lost with it is not sent again.",
            claims: [
                Claim(.confidentiality, "AC-36", holds: false, "unless the socket is inside TLS"),
                Claim(.authentication, "AC-38", "of the client, by its token"),
            ])
    }

    /// A frame has 1 MiB; they keep their order.
    public var limits: DeliveryLimits {
        DeliveryLimits(maximumPayload: AgentJSON.maximumFrame, offers: [.ordering])
    }

    /// Writes to the sockets; an address whose socket does not stand is unreachable for now.
    public func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        var results: [Result<Receipt, DeliveryError>] = []
        for addressed in payloads {
            let link = link(addressed.address)
            let isSent =
                addressed.payload == Bytes(SideOutput.hello) ? await link.greet() : await link.send(addressed.payload)
            results.append(
                isSent
                    ? .success(Receipt())
                    : .failure(.overloaded("\(addressed.address) is not connected", retryAfter: .milliseconds(200))))
        }
        return results
    }

    /// Connects, and delivers what comes from now on.
    public func subscribe(
        _ addresses: [DeliveryAddress: Since], into mailbox: Mailbox
    ) async throws(DeliveryError) {
        for address in addresses.keys { await link(address).add(mailbox) }
    }

    /// Ends the deliveries; the last one's end closes the socket.
    public func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        for address in addresses {
            guard let link = links.withLock({ $0[address] }), await link.remove(mailbox) else { continue }
            links.withLock { if $0[address] === link { $0[address] = nil } }
        }
    }

    private func link(_ address: DeliveryAddress) -> WebSocketLink {
        links.withLock { links in
            if let link = links[address] { return link }
            let link = WebSocketLink(service, address)
            links[address] = link
            return link
        }
    }
}
