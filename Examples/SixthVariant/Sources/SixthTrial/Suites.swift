public import ChatConformance
internal import ChatModel
internal import SixthVariant

/// The conformance suites of the five components, in the order of the specification.
public enum Suites {
    /// Runs all five.
    ///
    /// - Parameter folder: an empty folder for payloads and the list of people.
    public static func run(in folder: String) async throws -> [Report] {
        let phrase = try PhraseInitialization(phrase: "shining with all his might")
        return [
            await Conformance.check(discovery: { _ in TextFileDiscovery(file: "\(folder)/people.txt") }),
            Conformance.check(initialization: { _ in phrase }),
            Conformance.check(conversation: SecretStreamConversation.type),
            await Conformance.check(delivery: { _ in try FolderDelivery(folder: "\(folder)/payloads") }),
            Conformance.check(framing: { LineFraming() }),
        ]
    }
}
