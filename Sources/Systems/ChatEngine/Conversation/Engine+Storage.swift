public import ChatModel

// For those who keep sessions somewhere else than in memory: one session at a time is taken up, changed by an
// operation, and stored as it is then.
extension Engine {
    /// A session and all that belongs to it.
    public struct Stored: Hashable, Sendable {
        /// The session.
        public var session: Session
        /// Its messages, and the answers that are under way.
        public var tree: MessageTree
        /// What people think of its messages.
        public var reactions: Reactions
        /// Its share tokens, and when each stops to work.
        public var shares: [ShareToken: Timestamp?]

        /// A session.
        public init(
            session: Session, tree: MessageTree, reactions: Reactions = Reactions(),
            shares: [ShareToken: Timestamp?] = [:]
        ) {
            (self.session, self.tree, self.reactions, self.shares) = (session, tree, reactions, shares)
        }
    }

    /// A session as it is now; nil for one that is not here.
    public func stored(_ id: SessionID) -> Stored? {
        guard let held = held[id] else { return nil }
        return Stored(session: held.session, tree: held.tree, reactions: held.reactions, shares: shares.all(of: id))
    }

    /// Takes up a session as it was stored.
    public mutating func adopt(_ stored: Stored) {
        adopt(stored.session, stored.tree, stored.reactions)
        for (token, expiry) in stored.shares { shares.adopt(token, of: stored.session.id, until: expiry) }
    }
}

extension Shares {
    fileprivate func all(of session: SessionID) -> [ShareToken: Timestamp?] {
        shares.filter { $0.value.session == session }.mapValues(\.expiresAt)
    }

    fileprivate mutating func adopt(_ token: ShareToken, of session: SessionID, until expiry: Timestamp?) {
        shares[token] = Share(session: session, expiresAt: expiry)
    }
}
