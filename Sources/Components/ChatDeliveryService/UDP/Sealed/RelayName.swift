import ChatCodec
import ChatCrypto
package import ChatModel

/// A relay as people write it: where it is, and which key it must prove to have.
///
/// `relay://HOST:PORT/#KEY` names a sealed hop; the key is base64url of 32 bytes. `HOST:PORT` alone names a relay in
/// plain, whoever answers there.
package struct RelayName: Sendable, Hashable, CustomStringConvertible {
    private static let scheme = "relay://"

    /// Where the relay listens: `HOST:PORT`.
    package let place: String
    /// Its static X25519 key; nil for a hop in plain.
    package let key: PublicKey?

    /// A name out of its parts.
    package init(place: String, key: PublicKey?) {
        (self.place, self.key) = (place, key)
    }

    /// Reads a name; a text with the scheme and without a key is refused, so that nobody loses a seal by a cut link.
    package init(_ text: String) throws(DeliveryError) {
        guard text.hasPrefix(Self.scheme) else {
            _ = try HostPort(text)
            (place, key) = (text, nil)
            return
        }
        let wrong = DeliveryError.startup(
            "reading '\(text)'", reason: "expected relay://HOST:PORT/#KEY with a key of 43 characters")
        let parts = text.dropFirst(Self.scheme.count).split(separator: "/#", omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = try? Base64URL.decode(String(parts[1])), bytes.count == 32 else {
            throw wrong
        }
        _ = try HostPort(String(parts[0]))
        // A low-order key, which gives an all-zero secret, is refused.
        let key = PublicKey(bytes)
        guard (try? X25519.agree(Secret(count: X25519.size) { $0[0] = 1 }, key)) != nil else { throw wrong }
        (place, self.key) = (String(parts[0]), key)
    }

    /// Reads a name, and where the relay listens.
    static func read(_ text: String) throws(DeliveryError) -> (RelayName, HostPort) {
        let name = try RelayName(text)
        return (name, try HostPort(name.place))
    }

    /// The text that parses back.
    package var description: String {
        key.map { "\(Self.scheme)\(place)/#\(Base64URL.encode($0.bytes))" } ?? place
    }
}
