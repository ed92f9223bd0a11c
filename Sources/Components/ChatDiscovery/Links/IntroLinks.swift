internal import ChatCodec
internal import ChatCrypto
public import ChatModel

/// Introduction bundles as links that people send each other: `logos_<namespace>_<version>_<payload>` (INTRO-01).
///
/// Nothing is published anywhere and nothing is looked up: the link is the bundle, so that publishing
/// makes one text for each bundle and finding takes one text apart (DISC-02). A link has integrity of
/// its own and no confidentiality; who replaces it on its way replaces the person (INTRO-08).
public struct IntroLinks: DiscoveryProtocol {
    /// The longest link in characters: one message of a chat application, and a bundle of 6 KiB, which is
    /// a key package with post-quantum keys; a link of `chatintro_1` has 197.
    public static let maximumLink = 8_192
    /// The longest namespace in characters; the longest in use has ten.
    public static let maximumNamespace = 32
    /// The most digits of a version: all that 32 bits can say.
    public static let maximumVersionDigits = 10

    /// Makes the discovery; it has no options and no state.
    public init() {}

    /// Name `links`.
    public var facts: Facts {
        Facts(
            name: "links", summary: "Bundles as text, carried by whatever people already use.",
            claims: [
                Claim(.integrity, "INTRO-07", "of chatintro_1: the ephemeral key is signed by the installation key"),
                Claim(.authentication, "INTRO-08", holds: false, "only as good as the channel that carries the link"),
                Claim(.confidentiality, "INTRO-08", holds: false, "whoever sees a link can read and use it"),
            ])
    }

    /// Writes a link for each bundle; the name is not in it.
    ///
    /// Throws what ``find(_:)`` would throw, so that a link that others refuse is not handed out.
    public func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        var links: [String] = []
        for bundle in bundles {
            let link = "\(IntroLink.prefix)\(bundle.scheme)_\(Base64URL.encode(bundle.bytes.array))"
            _ = try IntroLink(link)
            links.append(link)
        }
        return links
    }

    /// Reads a link, without white space around it; one answer with one bundle, and no name.
    public func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        Introductions([Introduction(name: "", bundles: [try IntroLink(text.trimmingWhitespace).bundle])])
    }
}

extension String {
    /// The text without spaces, tabs and line breaks around it, which terminals and chat applications add.
    var trimmingWhitespace: String {
        let isSpace = { (character: UInt8) in character == 0x20 || (0x09...0x0D).contains(character) }
        let bytes = utf8.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return String(decoding: Array(bytes), as: UTF8.self)
    }
}
