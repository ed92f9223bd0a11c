public import ChatModel

/// The tokens under which sessions are shared (CE-35, section 9 of `Specs/chat-engine.md`).
public struct Shares: Hashable, Sendable {
    struct Share: Hashable {
        let session: SessionID
        let expiresAt: Timestamp?
    }

    var shares: [ShareToken: Share] = [:]

    /// No tokens.
    public init() {}

    /// Draws a token for a session; a time at which it expires lies ahead.
    public mutating func share(
        _ session: SessionID, until expiry: DateTime?, at now: Timestamp, random: inout any RandomSource
    ) throws(ErrorBody) -> ShareToken {
        if let expiry, expiry.timestamp <= now {
            throw ErrorBody(Violation(.share, "is not in the future", at: "expires_at"))
        }
        let token = ShareToken(bits: random.bytes(32, for: .secret))
        shares[token] = Share(session: session, expiresAt: expiry?.timestamp)
        return token
    }

    /// The session that a token opens; nil for one that is unknown, revoked or expired.
    public func session(_ token: ShareToken, at now: Timestamp) -> SessionID? {
        guard let share = shares[token], share.expiresAt.map({ now < $0 }) ?? true else { return nil }
        return share.session
    }

    /// Takes a token back; false where it is not one of the session.
    public mutating func revoke(_ token: ShareToken, of session: SessionID) -> Bool {
        guard shares[token]?.session == session else { return false }
        shares[token] = nil
        return true
    }

    /// Takes back all tokens of a session.
    mutating func removeAll(of session: SessionID) {
        shares = shares.filter { $0.value.session != session }
    }
}
