public import ChatClient
internal import ChatModel

extension Registry {
    /// Adds the five components of this package, with the phrase and the folder that they share.
    public mutating func addSixthVariant(_ components: SixthComponents) {
        addSixthVariant(phrase: components.phrase, folder: components.folder)
    }

    /// Adds the five components of this package, beside whatever is there.
    ///
    /// - Parameters:
    ///   - phrase: what the initialization's people share; made once, because its key takes a while.
    ///   - folder: an existing folder, for the text file and the payloads.
    public mutating func addSixthVariant(phrase: PhraseInitialization, folder: String) {
        discovery("text-file") { _ in TextFileDiscovery(file: "\(folder)/people.txt") }
        initialization("phrase") { phrase }
        conversation(SecretStreamConversation.type)
        delivery("folder") { try FolderDelivery(folder: "\(folder)/payloads") }
        framing("lines") { LineFraming() }
    }
}
