import ChatCrypto
import ChatModel

/// The keys of one journal file, derived from the master key and the file's id (STORE-1).
struct JournalKeys: Sendable {
    private let headerKey: Secret
    private let lengthKey: Secret
    private let entryKey: Secret

    init(master: Secret, id: [UInt8]) {
        let file = BLAKE2b.authenticate(count: 32, id.span, key: master)
        headerKey = BLAKE2b.derive(count: 32, key: file, personal: "chat-jnl-header")
        lengthKey = BLAKE2b.derive(count: 32, key: file, personal: "chat-jnl-length")
        entryKey = BLAKE2b.derive(count: 32, key: file, personal: "chat-jnl-entry")
    }

    /// The tag of a header: it fits only if passphrase or key are right.
    func headerTag(of header: Span<UInt8>) -> Secret {
        BLAKE2b.authenticate(count: AEAD.tagSize, header, key: headerKey)
    }

    /// The tag of the first bytes of an entry, which say how long it is, for its place in the journal.
    func lengthTag(of start: Span<UInt8>, number: UInt64) -> Secret {
        var input: [UInt8] = []
        input.append(number: number)
        for index in start.indices { input.append(start[index]) }
        return BLAKE2b.authenticate(count: AEAD.tagSize, input.span, key: lengthKey)
    }

    /// Encrypts what stands in an entry behind its header, in place, and returns the tag.
    ///
    /// The header is authenticated too, and by its own tag the entry's place in the journal.
    func seal(
        _ entry: inout [UInt8], behind header: [UInt8], nonce: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: AEAD.tagSize)
        var tagSpan = tag.mutableSpan
        var whole = entry.mutableSpan
        var text = whole._mutatingExtracting(header.count..<whole.count)
        try AEAD.xChaChaPoly.seal(&text, tag: &tagSpan, nonce: nonce.span, aad: header.span, key: entryKey)
        return tag
    }

    /// Decrypts a transaction in place; one that is not authentic becomes zeros.
    func open(_ sealed: inout [UInt8], tag: [UInt8], nonce: [UInt8], header: [UInt8]) throws(CryptoError) {
        var text = sealed.mutableSpan
        try AEAD.xChaChaPoly.open(&text, tag: tag.span, nonce: nonce.span, aad: header.span, key: entryKey)
    }
}
