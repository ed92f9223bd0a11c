internal import ChatCodec
internal import ChatCrypto
package import ChatModel

/// A name in the one form in which it is compared: lowercase ASCII letters, digits and `.`, `-`, `_` between them.
///
/// Other letters are refused, because many look like others.
package struct DirectoryName: Hashable, Sendable {
    /// The name.
    package let text: String

    /// Folds capitals and refuses what is no name.
    package init(_ text: String) throws(DiscoveryError) {
        let characters = Array(text.utf8.prefix(DirectoryLimits.name + 1))
        guard characters.count <= DirectoryLimits.name else {
            throw .tooLarge("characters of a name", count: text.utf8.count, limit: DirectoryLimits.name)
        }
        guard let last = characters.indices.last else { throw .malformed("a name has at least one character", at: 0) }
        let folded = characters.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        for (offset, character) in folded.enumerated() {
            let isLetter = (0x61...0x7A).contains(character) || (0x30...0x39).contains(character)
            let isBetween = offset > 0 && offset < last && [0x2D, 0x2E, 0x5F].contains(character)
            guard isLetter || isBetween else {
                throw .malformed("a name has letters a to z and digits, and between them . - and _", at: offset)
            }
        }
        self.text = String(decoding: folded, as: UTF8.self)
    }

    /// Where entries under the name are published: `rhex(b2b(8, "directory|" ‖ name))`.
    package var address: DeliveryAddress {
        DeliveryAddress(Hex.encode(BLAKE2b.hash(count: 8, Array("directory|\(text)".utf8))))
    }
}

/// Whom a search is for: everybody under a name, or one publisher.
package struct DirectoryQuery: Hashable, Sendable {
    /// The name.
    package let name: DirectoryName
    /// The only publisher whose entries count, if one is given.
    package let publisher: PublicKey?

    init(name: DirectoryName, publisher: PublicKey?) {
        (self.name, self.publisher) = (name, publisher)
    }

    /// Reads `name` or `name@key`, the key's 32 bytes in base64url; white space around it is left out.
    package init(_ text: String) throws(DiscoveryError) {
        let text = text.trimmingWhitespace
        guard let separator = text.utf8.firstIndex(of: UInt8(ascii: "@")) else {
            self.init(name: try DirectoryName(text), publisher: nil)
            return
        }
        let name = try DirectoryName(String(text[..<separator]))
        let key = String(text[text.utf8.index(after: separator)...])
        guard key.utf8.count == 43, let bytes = try? Base64URL.decode(key) else {
            throw .malformed("a publisher's key has 43 characters of base64url", at: name.text.utf8.count + 1)
        }
        self.init(name: name, publisher: PublicKey(bytes))
    }

    /// The text that is read back as this query.
    package var text: String {
        publisher.map { "\(name.text)@\(Base64URL.encode($0.bytes))" } ?? name.text
    }
}
