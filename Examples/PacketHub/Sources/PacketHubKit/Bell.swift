import GRPCCore
import PacketStream
import Synchronization

/// Wakes one task that waits: rings that come while it works are one ring.
final class Bell: Sendable {
    /// The rings, for one task; they end with the session.
    let rings: AsyncStream<Void>
    private let feed: AsyncStream<Void>.Continuation

    init() { (rings, feed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func ring() { feed.yield() }

    func finish() { feed.finish() }
}

/// One connection of a step: a stream of packets and a control stream, which end together.
final class Session: Sendable {
    /// The session of the hub's machine; a step's own has no other one to be told from.
    let place: PacketHub.Session
    /// There are packets to send, or directives.
    let port = Bell(), control = Bell()
    /// There is room for more packets, or directives: each has one reader that waits.
    let portRoom = Bell(), controlRoom = Bell()
    /// The start is over.
    let started = Bell()
    private let ending = Mutex<RPCError??>(nil)

    init(_ place: PacketHub.Session) { self.place = place }

    func ring(_ signal: PacketHub.Signal) {
        switch signal {
        case .packets: port.ring()
        case .directives: control.ring()
        case .packetRoom: portRoom.ring()
        case .directiveRoom: controlRoom.ring()
        }
    }

    /// Whether it is over.
    var isOver: Bool { ending.withLock { $0 != nil } }

    /// Ends both streams; the first reason counts, and none is a good end.
    func end(_ reason: RPCError? = nil) {
        ending.withLock { $0 = $0 ?? .some(reason) }
        for bell in [port, control, portRoom, controlRoom, started] { bell.finish() }
    }

    /// Throws the reason for which it is over, if there is one.
    func checkEnding() throws {
        if let reason = ending.withLock({ $0 ?? nil }) { throw reason }
    }
}
