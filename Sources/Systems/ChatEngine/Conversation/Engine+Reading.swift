public import ChatModel

// What is read, shared and liked.
extension Engine {
    /// Operation 13: the visible messages of a session, or those under one of them.
    public func messages(
        of id: SessionID, under parent: MessageID? = nil, by client: String
    ) throws(ErrorBody) -> MessageList {
        let held = try owned(id, by: client)
        guard let parent else { return MessageList(messages: held.tree.visible) }
        return MessageList(messages: try held.tree.messages(under: parent))
    }

    /// Operation 14.
    public func message(_ id: MessageID, by client: String) throws(ErrorBody) -> Message {
        try owner(of: id, by: client).tree.message(id)
    }

    /// Operation 15.
    public func variants(of id: MessageID, by client: String) throws(ErrorBody) -> MessageVariants {
        try owner(of: id, by: client).tree.variants(of: id)
    }

    /// Operation 16: the answer, which does not wait for the backend, and what the backend is told.
    public mutating func react(
        to id: MessageID, _ body: ReactToMessage, by client: String, at now: Timestamp
    ) throws(ErrorBody) -> (ReactionApplied, Ask?) {
        let session = try owner(of: id, by: client).session
        _ = try message(id, by: client)
        guard let change = held[session.id]?.reactions.react(body.reaction, to: id, by: client) else {
            throw .noMessage(id)
        }
        touch(session.id, now)
        let answer = ReactionApplied(message: id, reaction: body.reaction, isApplied: change.isApplied)
        guard change.isTold else { return (answer, nil) }
        let event = MessageReactionEvent(
            session: session.id, message: id, user: client, reaction: body.reaction, previous: change.previous)
        return (answer, ask(.messageReaction(event), session, now))
    }

    /// Operation 5: the file; where it is kept is the caller's business.
    public func export(
        _ id: SessionID, _ body: ExportSession, by client: String, at now: Timestamp
    ) throws(ErrorBody) -> Export {
        let held = try owned(id, by: client)
        let messages = body.scope == .active ? held.tree.visiblePath : held.tree.visible
        return Export(messages, of: held.session, as: body, at: DateTime(now))
    }

    /// Operation 6: the token; the link that has it is the caller's business.
    public mutating func share(
        _ id: SessionID, _ body: ShareSession, by client: String, at now: Timestamp, random: inout any RandomSource
    ) throws(ErrorBody) -> ShareToken {
        _ = try owned(id, by: client)
        return try shares.share(id, until: body.expiresAt, at: now, random: &random)
    }

    /// Takes a token back.
    public mutating func revoke(
        _ token: ShareToken, of id: SessionID, by client: String
    ) throws(ErrorBody) -> ShareRevoked {
        _ = try owned(id, by: client)
        guard shares.revoke(token, of: id) else { throw .noSession(nil) }
        return ShareRevoked()
    }

    /// Operation 7: the owner's active path as it is now.
    public func shared(_ token: ShareToken, at now: Timestamp) throws(ErrorBody) -> SharedSession {
        guard let id = shares.session(token, at: now), let held = held[id] else { throw .noSession(nil) }
        return SharedSession(session: id, messages: held.tree.visiblePath, metadata: held.session.metadata)
    }

    /// Operation 8: the visible messages of a session that have all words of a query.
    public func search(_ query: SearchQuery, in id: SessionID, by client: String) throws(ErrorBody) -> SearchResults {
        let hits = Search(query.text).hits(in: try owned(id, by: client).tree.visible)
        return SearchResults(
            results: query.page(hits), total: hits.count, limit: query.limit, offset: query.offset)
    }

    /// Operation 9: the same over all sessions of a client.
    public func search(_ query: SearchQuery, by client: String) -> SessionSearchResults {
        let search = Search(query.text)
        let mine = held.values.filter { $0.session.client == client }.sorted { $0.session.id.text < $1.session.id.text }
        let hits = mine.compactMap { held in
            let hits = search.hits(in: held.tree.visible)
            return hits.isEmpty
                ? nil
                : SessionSearchHit(session: held.session.id, metadata: held.session.metadata, messages: hits)
        }
        return SessionSearchResults(
            results: query.page(hits), total: hits.count, limit: query.limit, offset: query.offset)
    }
}
