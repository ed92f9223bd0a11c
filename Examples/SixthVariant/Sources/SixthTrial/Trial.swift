internal import ChatClient
internal import ChatCrypto
internal import ChatDeliveryService
internal import ChatModel
internal import ChatVariants
internal import Foundation
internal import SixthVariant

/// Saro and Raya talk over a mix, are restarted, and talk on.
public struct Trial: Sendable {
    /// What one mix puts on the wire.
    public struct Cost: Sendable, Hashable {
        /// The mix.
        public let mix: Mix
        /// Bytes of each content.
        public let contentSize: Int
        /// Bytes on the wire for the first content, which travels in the invite.
        public let firstContact: Int
        /// Bytes on the wire for each further content.
        public let perContent: Double
    }

    /// What went wrong.
    public struct Failure: Error, CustomStringConvertible {
        /// One line.
        public let description: String
    }

    private let folder: String
    private let phrase: PhraseInitialization

    /// Prepares trials in an empty folder, in which payloads and the list of people go.
    public init(in folder: String) throws {
        self.folder = folder
        phrase = try PhraseInitialization(phrase: "the sun was shining on the sea")
    }

    /// Tries one mix with contents of a size; throws unless every content arrives on both sides.
    public func run(_ mix: Mix, contentSize: Int = 64) async throws -> Cost {
        let memory = InMemoryDeliveryService()
        var saro = try await Participant(try await suite(mix, over: memory))
        var raya = try await Participant(try await suite(mix, over: memory))
        guard let text = try await raya.client.introduce(as: "raya").first else {
            throw Failure(description: "\(mix): publishing gave no text")
        }
        let hello = Self.content(0, contentSize)
        let (id, _) = try await saro.client.accept(text, saying: hello)
        try await check(raya.hear([hello]), mix, "the first content did not arrive")
        let firstContact = saro.bytes + raya.bytes
        guard let answering = await raya.client.conversations.first?.id else {
            throw Failure(description: "\(mix): no conversation began")
        }
        for round in 1...3 {
            let fromSaro = (0..<2).map { Self.content(4 * round + $0, contentSize) }
            let fromRaya = (2..<4).map { Self.content(4 * round + $0, contentSize) }
            for content in fromSaro { try await saro.client.send(content, in: id) }
            for content in fromRaya { try await raya.client.send(content, in: answering) }
            try await check(raya.hear(Set(fromSaro)), mix, "Raya missed something in round \(round)")
            try await check(saro.hear(Set(fromRaya)), mix, "Saro missed something in round \(round)")
            for client in [saro.client, raya.client] {
                try await check(client.flush(within: .seconds(60)), mix, "not everything was sent")
            }
            if round == 1 { try await saro.restart() }
            if round == 2 { try await raya.restart() }
        }
        let perContent = Double(saro.bytes + raya.bytes - firstContact) / 12
        await saro.client.close()
        await raya.client.close()
        return Cost(mix: mix, contentSize: contentSize, firstContact: firstContact, perContent: perContent)
    }

    private func check(_ holds: Bool, _ mix: Mix, _ otherwise: String) async throws {
        guard holds else { throw Failure(description: "\(mix): \(otherwise)") }
    }

    /// A mix for one client; what people share (folder, phrase, memory) is the same for all.
    private func suite(_ mix: Mix, over memory: InMemoryDeliveryService) async throws -> ChatSuite {
        var random: any RandomSource = SystemRandom()
        let identity = X25519.generate(using: &random, for: .secret)
        var registry = Variants(identity: identity, memory: memory).registry
        let own = "\(folder)/\(mix.number)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        registry.addSixthVariant(phrase: phrase, folder: own, identity: identity)
        return try await registry.suite(mix.name)
    }

    /// A content that no other number has.
    private static func content(_ number: Int, _ size: Int) -> Content {
        Bytes((0..<max(1, size)).map { $0 == 0 ? UInt8(number) : UInt8(truncatingIfNeeded: $0) })
    }
}
