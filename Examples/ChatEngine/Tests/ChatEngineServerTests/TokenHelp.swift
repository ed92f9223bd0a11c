import ChatEngineServer

extension Tokens {
    /// A token of another secret.
    static func forged() async throws -> String {
        try await Tokens(secret: Array("another secret of thirty-two bytes!".utf8)).sign(client: "saro", seconds: 600)
    }

    /// A token whose time is over.
    static func expired() async throws -> String {
        try await Tokens(secret: Bench.secret).sign(client: "saro", seconds: -1)
    }
}
