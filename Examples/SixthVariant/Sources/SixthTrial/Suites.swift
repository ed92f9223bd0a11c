public import ChatConformance
internal import ChatCrypto
internal import ChatModel
internal import SixthVariant

/// The conformance suites of the components, in the order of the specification.
public enum Suites {
    /// Runs all of them.
    ///
    /// - Parameter folder: an empty folder for payloads and the list of people.
    public static func run(in folder: String) async throws -> [Report] {
        let phrase = try PhraseInitialization(phrase: "shining with all his might")
        var random: any RandomSource = RepeatableRandom(seed: 1)
        let identities = (0..<2).map { _ in X25519.generate(using: &random, for: .secret) }
        return [
            await Conformance.check(discovery: { _ in TextFileDiscovery(file: "\(folder)/people.txt") }),
            Conformance.check(initialization: { _ in phrase }),
            Conformance.check(initialization: { NoiseXK(identity: identities[$0]) }),
            Conformance.check(conversation: SecretStreamConversation.type),
            await Conformance.check(delivery: { _ in try FolderDelivery(folder: "\(folder)/payloads") }),
            Conformance.check(framing: { LineFraming() }),
        ]
    }
}
