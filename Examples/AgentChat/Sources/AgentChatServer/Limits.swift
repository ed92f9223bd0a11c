import AgentChat

/// What one service takes on, each with its reason; the table of the README shows the same.
public struct Limits: Sendable {
    /// The largest message of a socket in bytes, and the largest piece of one.
    public var frame = AgentJSON.maximumFrame
    /// Chats of the account.
    public var chats = AgentChats.maximumChats
    /// Sockets of all chats: each costs some 50 KiB.
    public var sockets = 2_000
    /// Sockets of one chat: each gets every piece.
    public var socketsOfChat = 64
    /// Jobs at once.
    public var jobs = 200
    /// The body of an HTTP request in bytes.
    public var body = 64 << 10
    /// Connections that have not become sockets.
    public var requests = 256
    /// What waits for a socket that reads slowly, in bytes; beyond that it is closed, and a resume makes up for it.
    public var waiting = 8 << 20
    /// What waits for all sockets together, in bytes; beyond that the one for which most waits is closed.
    public var waitingOfAll = 128 << 20
    /// From connecting to the end of the request.
    public var requestTime: Duration = .seconds(10)
    /// Between two pings.
    public var ping: Duration = .seconds(20)
    /// Without a sign of life a socket is taken for lost.
    public var silence: Duration = .seconds(45)
    /// A job that does not end after a cancel is taken from its agent.
    public var cancelTime: Duration = .seconds(5)
    /// From the request of a ticket to its use.
    public var ticketTime: Duration = .seconds(30)

    /// Files that may be open at once: connections, and what the service itself has open.
    public var files: Int { sockets + requests + 64 + 6 * jobs }

    /// The limits of the README.
    public init() {}
}
