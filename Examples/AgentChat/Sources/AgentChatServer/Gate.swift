import AgentChat
import ChatCodec
import ChatCrypto
public import ChatModel
import NIOHTTP1

/// Who may come in: a bearer token, or a ticket that a browser got with one, good for one socket of one chat.
///
/// Without a token everybody on this machine may, and nobody else: the service then listens on the loopback alone, and
/// answers only to names of it, so that no page of another site reaches it through the person's browser.
public final class Gate: Sendable {
    private let token: Secret?
    private let life: Duration
    private let tickets = Lock<[String: (chat: Identifier, until: ContinuousClock.Instant)]>([:])

    /// A gate; tickets are good for a while.
    public init(token: Secret?, ticketTime: Duration = .seconds(30)) { (self.token, life) = (token, ticketTime) }

    /// Whether there is a token.
    public var isGuarded: Bool { token != nil }

    /// Whether a request comes from a page of this service, or from no page at all.
    func isOwn(_ head: HTTPRequestHead) -> Bool {
        let host = head.headers["host"]
        guard host.count == 1 else { return false }
        if token == nil, !Self.isLoopback(host[0]) { return false }
        let origins = head.headers["origin"]
        return origins.isEmpty || origins == ["http://\(host[0])"] || origins == ["https://\(host[0])"]
    }

    /// Whether a request has the token.
    func admits(_ head: HTTPRequestHead) -> Bool {
        guard let token else { return true }
        let values = head.headers["authorization"]
        guard values.count == 1, values[0].prefix(7).lowercased() == "bearer " else { return false }
        return Secret(copying: Array(values[0].utf8.dropFirst(7)).span) == token
    }

    /// A ticket for a socket of a chat; nil where too many wait for their use.
    func ticket(for chat: Identifier) -> String? {
        var random: any RandomSource = SystemRandom()
        let text = Hex.encode(random.bytes(16, for: .secret))
        let until = ContinuousClock.now + life
        return tickets.withLock { tickets in
            if tickets.count >= 1_000 { tickets = tickets.filter { $0.value.until > .now } }
            guard tickets.count < 1_000 else { return nil }
            tickets[text] = (chat, until)
            return text
        }
    }

    /// Uses a ticket up.
    func redeem(_ ticket: String, for chat: Identifier) -> Bool {
        let found = tickets.withLock { $0.removeValue(forKey: ticket) }
        guard let found else { return false }
        return found.chat == chat && found.until > .now
    }

    private static func isLoopback(_ host: String) -> Bool {
        var name = Substring(host)
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") { name = name[..<colon] }
        return ["localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
    }
}
