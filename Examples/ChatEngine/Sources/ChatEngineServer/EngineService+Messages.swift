import ChatCrypto
import ChatEngine
import ChatModel

// Messages, and the answers to them.
extension EngineService {
    /// Operation 10: what was said is on disk when the backend is asked.
    func send(_ body: SendMessage, by client: String, token: ShareToken?) async throws(ErrorBody) -> Answer {
        try await begin(.session(body.session)) { engine throws(ErrorBody) in
            var random: any RandomSource = SystemRandom()
            return try engine.send(body, by: client, token: token, at: now(), random: &random)
        }
    }

    /// Operation 11.
    func recreate(_ id: MessageID, _ body: EnableCapabilities, by client: String) async throws(ErrorBody) -> Answer {
        try await begin(.message(id)) { engine throws(ErrorBody) in
            var random: any RandomSource = SystemRandom()
            return try engine.recreate(id, body, by: client, at: now(), random: &random)
        }
    }

    private func begin(
        _ place: Store.Place, _ body: @escaping @Sendable (inout Engine) throws(ErrorBody) -> Engine.Ask
    ) async throws(ErrorBody) -> Answer {
        let (ask, head) = try await store.write(place) { engine throws(ErrorBody) in
            let ask = try body(&engine)
            let generation = ask.reply.flatMap { engine.stored(ask.session)?.tree.generating[$0] }
            let head = generation.map {
                Journal.Head(session: ask.session.text, parent: $0.parent.text, purpose: $0.purpose.rawValue)
            }
            return (ask, head)
        }
        return try generate(ask, head)
    }

    /// Operation 12.
    func summarize(_ id: SessionID, _ body: EnableCapabilities, by client: String) async throws(ErrorBody) -> Answer {
        let ask = try await store.read(.session(id)) { engine throws(ErrorBody) in
            var random: any RandomSource = SystemRandom()
            return try engine.summarize(id, body, by: client, at: now(), random: &random)
        }
        return try generate(ask, nil)
    }

    /// Operation 16: the answer does not wait for the backend.
    func react(to id: MessageID, _ body: ReactToMessage, by client: String) async throws(ErrorBody) -> ReactionApplied {
        let (answer, told) = try await store.write(.message(id)) { engine throws(ErrorBody) in
            try engine.react(to: id, body, by: client, at: now())
        }
        if let told { backends.tell(told) }
        return answer
    }
}
