internal import ChatCodec
internal import ChatCrypto
package import ChatModel
internal import LogosFormats

/// One link, taken apart and checked.
package struct IntroLink {
    /// The prefix of every link.
    static let prefix = "logos_"
    /// The namespace of the bundles that can be checked here, and the version of them.
    private static let checked = (namespace: "chatintro", version: "1")

    /// The content of the link.
    package let bundle: IntroductionBundle

    /// Reads a link; offsets in errors count characters from its beginning.
    package init(_ text: String) throws(DiscoveryError) {
        let characters = Array(text.utf8.prefix(IntroLinks.maximumLink + 1))
        guard characters.count <= IntroLinks.maximumLink else {
            throw .tooLarge("characters of a link", count: text.utf8.count, limit: IntroLinks.maximumLink)
        }
        if let offset = characters.firstIndex(where: { !(0x21...0x7E).contains($0) }) {
            throw .malformed("a link has printable ASCII characters only", at: offset)
        }
        // The payload may hold `_`, so only the first three separate (INTRO-02).
        let parts = characters.split(separator: UInt8(ascii: "_"), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts[0].elementsEqual("logos".utf8) else { throw .malformed("a link begins with logos_", at: 0) }
        guard parts.count == 4 else {
            throw .malformed("a link is logos_<namespace>_<version>_<payload>", at: characters.count)
        }
        let (namespace, version, payload) = (parts[1], parts[2], parts[3])
        guard (1...IntroLinks.maximumNamespace).contains(namespace.count) else {
            throw .malformed("a namespace has 1 to \(IntroLinks.maximumNamespace) characters", at: namespace.startIndex)
        }
        guard Self.isVersion(version) else {
            throw .malformed("a version is decimal, without leading zeros", at: version.startIndex)
        }
        let scheme = "\(Self.text(namespace))_\(Self.text(version))"
        guard !payload.isEmpty else { throw .malformed("a payload of base64url", at: payload.startIndex) }
        let bytes: [UInt8]
        do {
            bytes = try Base64URL.decode(Self.text(payload))
        } catch {
            throw .malformed("the payload is base64url without padding (\(error))", at: payload.startIndex)
        }
        let isChatIntro = Self.text(namespace) == Self.checked.namespace
        if isChatIntro {
            guard Self.text(version) == Self.checked.version else { throw .unsupported("link version \(scheme)") }
            try Self.verify(bytes, scheme: scheme, at: payload.startIndex)
        }
        // An ephemeral key is good for one conversation (INBOX-04); of others only their scheme knows.
        bundle = IntroductionBundle(scheme: scheme, bytes: Bytes(bytes), isSingleUse: isChatIntro)
    }

    private static func text(_ characters: ArraySlice<UInt8>) -> String { String(decoding: characters, as: UTF8.self) }

    private static func isVersion(_ digits: ArraySlice<UInt8>) -> Bool {
        guard let first = digits.first, digits.count <= IntroLinks.maximumVersionDigits else { return false }
        let isDecimal = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isDecimal && (first != UInt8(ascii: "0") || digits.count == 1)
    }

    /// Checks sizes and the signature of an IntroBundle: XEdDSA by the installation key over
    /// `logos_chatintro_1_` and the ephemeral key (INTRO-07).
    private static func verify(_ bytes: [UInt8], scheme: String, at offset: Int) throws(DiscoveryError) {
        let bundle: IntroBundle
        do {
            bundle = try IntroBundle(decoding: Bytes(bytes))
        } catch {
            throw .malformed("the payload is no IntroBundle (\(error))", at: offset)
        }
        let (message, signature) = (Array("\(prefix)\(scheme)_".utf8) + bundle.ephemeral.bytes, bundle.signature)
        do {
            try XEdDSA.verify(signature.span, of: message.span, by: bundle.installation)
        } catch {
            throw .forged("link \(scheme)")
        }
    }
}
