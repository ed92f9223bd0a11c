import ChatModel

/// A place from which packets of a session came that is not the one where its client was; see Specs/udp-sealed.md, Roaming.
struct NewPath: Sendable {
    let peer: NetworkAddress
    let local: NetworkAddress?
    /// What the client is asked to send back.
    let challenge: UInt64
    /// Bytes that came from there and were not matched by bytes sent there.
    var budget = 0
    /// When the client may be asked, or asked again.
    var askAt: MonotonicInstant
    /// When the path is forgotten unless it has answered.
    let until: MonotonicInstant
}

/// How often a client has come from elsewhere.
struct PathChanges: Sendable {
    static let most = 10
    static let time = MicrosecondSpan(60_000_000)
    private var began = MonotonicInstant.zero
    private var count = 0

    /// Whether another path may be looked at; counts it.
    mutating func take(_ now: MonotonicInstant) -> Bool {
        if began + Self.time <= now { (began, count) = (now, 0) }
        guard count < Self.most else { return false }
        count += 1
        return true
    }
}

extension RelayCore {
    /// Asks a client that writes from elsewhere whether it receives there too, with no more bytes than came (UDP2-16).
    mutating func notePath(
        _ from: Correspondent, _ number: UInt64, _ size: Int, _ session: inout RelaySession, _ now: MonotonicInstant
    ) {
        guard from.peer != session.peer, session.link.seal?.newestOpened == number else { return }
        if session.path.map({ $0.peer != from.peer || $0.until <= now }) ?? true {
            guard session.pathChanges.take(now), let challenge = hop?.draw() else { return }
            let until = now + max(session.link.probeTimeout * 3, Self.pathPatience)
            session.path = NewPath(
                peer: from.peer, local: from.local, challenge: challenge, askAt: now, until: until)
        }
        guard var path = session.path else { return }
        path.budget += size
        if path.askAt <= now, path.budget >= SealedFormat.pingSize,
            let packet = session.link.challenge(path.challenge, now: now)
        {
            reply(.made(packet), from)
            path.budget -= packet.count
            path.askAt = now + session.link.probeTimeout
        }
        session.path = path
    }

    /// A new path that does not answer for so long, or for three probe timeouts, is forgotten.
    private static var pathPatience: MicrosecondSpan { MicrosecondSpan(1_000_000) }

    /// The client has sent back what it was asked: it is where it sent that from, if it may be.
    mutating func validated(_ value: UInt64, _ place: Int, _ from: Correspondent) {
        guard var session = sessions[place].take() else { return }
        defer { sessions[place] = session }
        guard let path = session.path, path.challenge == value, path.peer == from.peer else { return }
        session.path = nil
        let (old, new) = (session.peer, path.peer)
        guard old.host == new.host || hosts.move(old.host, new.host, session) else { return }
        (session.peer, session.local) = (new, path.local)
        // A NAT that chose another port is the same path.
        if (old.high, old.low) != (new.high, new.low) { session.link.pathChanged() }
        counts.moved += 1
    }
}
