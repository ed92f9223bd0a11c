import ChatCrypto
import ChatEngine
import ChatModel

// Sessions, and what is shared and exported of them.
extension EngineService {
    /// Operation 1: the session is there when its backend has consented.
    func create(_ body: CreateSession, by client: String) async throws(ErrorBody) -> SessionCreated {
        var random: any RandomSource = SystemRandom()
        let ask = try Engine(types).create(body, by: client, at: now(), random: &random)
        let consent = try await consent(ask)
        return try await store.write(.session(ask.session)) { engine throws(ErrorBody) in
            engine.created(ask, consent, at: now())
        }
    }

    /// Operation 4: the session has its new type when the new backend has consented.
    func switchType(
        _ id: SessionID, _ body: SwitchSessionType, by client: String
    ) async throws(ErrorBody) -> SessionTypeSwitched {
        let ask = try await store.read(.session(id)) { engine throws(ErrorBody) in
            try engine.switchType(id, body, by: client, at: now())
        }
        let consent = try await consent(ask)
        return try await store.write(.session(id)) { engine throws(ErrorBody) in
            try engine.switched(ask, consent, at: now())
        }
    }

    private func consent(_ ask: Engine.Ask) async throws(ErrorBody) -> SessionCreatedReply {
        try await backends.ask(ask.url, ask.webhook, ask.sessionType, timeout: ask.timeout)
    }

    /// Operation 3.
    func delete(_ id: SessionID, by client: String) async throws(ErrorBody) -> SessionDeleted {
        let told = try await store.write(.session(id)) { engine throws(ErrorBody) in
            try engine.delete(id, by: client, at: now())
        }
        if let told { backends.tell(told) }
        let exports = exports
        Task { try await exports.clean(at: now()) }
        return SessionDeleted()
    }

    /// Operation 5.
    func export(_ id: SessionID, _ body: ExportSession, by client: String) async throws(ErrorBody) -> SessionExported {
        let export = try await store.read(.session(id)) { engine throws(ErrorBody) in
            try engine.export(id, body, by: client, at: now())
        }
        let (token, expiry) = try await exports.keep(export, of: id, at: now())
        return SessionExported(url: "\(baseURL)/exports/\(token)", expiresAt: DateTime(expiry))
    }

    /// Operation 6.
    func share(_ id: SessionID, _ body: ShareSession, by client: String) async throws(ErrorBody) -> SessionShared {
        let token = try await store.write(.session(id)) { engine throws(ErrorBody) in
            var random: any RandomSource = SystemRandom()
            return try engine.share(id, body, by: client, at: now(), random: &random)
        }
        return SessionShared(token: token, url: "\(baseURL)/share/\(token.text)")
    }
}
