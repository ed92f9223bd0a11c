import ChatModel

// Who gives way where all the room is taken.
extension RelayCore {
    /// Beyond the total, the host that holds most gives way, unless it would then be the other's turn. The packet that
    /// found no room comes again.
    mutating func makeRoomForPieces(_ host: UInt64, _ needed: Int) {
        var (heaviest, most) = (RelaySession.Key?.none, (host: hosts.heldBytes(host) + needed, session: 0))
        for place in sessions.indices {
            guard let key = sessions[place]?.key, let owner = sessions[place]?.peer.host,
                let held = sessions[place]?.link.heldBytes, held > 0
            else { continue }
            let other = (host: hosts.heldBytes(owner), session: held)
            if owner != host, other > most { (heaviest, most) = (key, other) }
        }
        guard let heaviest else { return }
        counts.expired += 1
        remove(heaviest, saying: .unknown)
    }

    /// Whether there would be room for another session of a host.
    mutating func mayBegin(_ host: UInt64) -> Bool {
        guard hosts.mayEnter(host) else { return false }
        return places.count < limits.sessions || hosts.withTooManySessions(for: host) != nil
    }

    /// Where all sessions are taken, the host with most gives way to one with far fewer: its session that has been
    /// silent longest ends.
    mutating func makeRoomForSession(_ host: UInt64) {
        guard places.count >= limits.sessions, let other = hosts.withTooManySessions(for: host) else { return }
        end(oneOf: other) { $0.link.lastHeard > $1.link.lastHeard }
    }

    /// Where all subscriptions are taken, the same: its session with most of them ends.
    mutating func makeRoomForSubscription(_ host: UInt64) {
        guard counts.subscriptions >= limits.subscriptions, let other = hosts.withTooManySubscriptions(for: host) else {
            return
        }
        end(oneOf: other) { $0.subscriptions.count < $1.subscriptions.count }
    }

    /// Ends the session of a host that comes last in an order.
    private mutating func end(oneOf host: UInt64, by order: (RelaySession, RelaySession) -> Bool) {
        let all = sessions.lazy.compactMap(\.self).filter { $0.peer.host == host }
        guard let key = all.max(by: order)?.key else { return }
        counts.expired += 1
        remove(key, saying: .unknown)
    }

    /// Beyond the total, the client that is owed most gives way.
    mutating func makeRoomForAnswers() {
        while owedAnswers > limits.owedAnswers {
            var (heaviest, most) = (RelaySession.Key?.none, 0)
            for place in sessions.indices {
                guard let owed = sessions[place]?.countedAnswers, owed > most else { continue }
                (heaviest, most) = (sessions[place]?.key, owed)
            }
            guard let heaviest else { return }
            counts.expired += 1
            remove(heaviest, saying: .unknown)
        }
    }
}
