public import ChatClient
public import ChatModel

extension Registry {
    /// Adds the components of this package, with the phrase and the folder that they share.
    ///
    /// - Parameter identity: the client's long-term X25519 key pair.
    public mutating func addSixthVariant(_ components: SixthComponents, identity: KeyPair) {
        addSixthVariant(phrase: components.phrase, folder: components.folder, identity: identity)
    }

    /// Adds the components of this package, beside whatever is there.
    ///
    /// - Parameters:
    ///   - phrase: what the initialization's people share; made once, because its key takes a while.
    ///   - folder: an existing folder, for the text file and the payloads.
    ///   - identity: the client's long-term X25519 key pair.
    public mutating func addSixthVariant(phrase: PhraseInitialization, folder: String, identity: KeyPair) {
        discovery("text-file") { _ in TextFileDiscovery(file: "\(folder)/people.txt") }
        initialization("phrase") { phrase }
        initialization("noise-xk") { NoiseXK(identity: identity) }
        conversation(SecretStreamConversation.type)
        delivery("folder") { try FolderDelivery(folder: "\(folder)/payloads") }
        framing("lines") { LineFraming() }
    }
}
