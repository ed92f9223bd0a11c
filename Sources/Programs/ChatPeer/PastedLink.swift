import ChatClient
import ChatModel
import LogosFormats

/// A link as people hand it on: alone, or with the composition of the peer that made it behind it (PEER-24).
struct PastedLink: Equatable {
    /// The link, or a name where the discovery has names.
    let text: String
    /// The composition that the other side named.
    let suite: SuiteName?

    init(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 2, words[0].isLink, let suite = try? SuiteName(parsing: words[1]) else {
            (self.text, suite) = (text, nil)
            return
        }
        (self.text, self.suite) = (words[0], suite)
    }

    /// What a peer of a composition hands out.
    static func shown(_ link: String, of suite: SuiteName) -> String { link.isLink ? "\(link) \(suite)" : link }

    /// Whether a peer of this composition can talk to the one that made the link: both send invites, contents and
    /// payloads in the same form over the same service.
    func isReached(from own: SuiteName) -> Bool {
        guard let suite else { return true }
        let speaks = own.conversations.first.map(suite.conversations.contains) ?? false
        return speaks && suite.initialization == own.initialization && suite.delivery == own.delivery
            && suite.framing == own.framing
    }
}

extension IntroductionBundle {
    /// Whether it was made by somebody with this key, as far as the bundle tells.
    func isMade(by key: PublicKey) -> Bool {
        guard scheme == "chatintro_1", let bundle = try? IntroBundle(decoding: bytes) else { return false }
        return bundle.installation == key
    }
}

/// Why a link is refused before anything is said.
enum LinkCause: RefusalCause {
    /// It is this peer's own.
    case ownBundle
    /// Its maker's composition is another one.
    case otherSuite(SuiteName, own: SuiteName)

    /// A stable word for programs.
    var code: String {
        switch self {
        case .ownBundle: "own_bundle"
        case .otherSuite: "other_suite"
        }
    }

    /// What is wrong and what to do.
    var description: String {
        switch self {
        case .ownBundle: "this link is your own; hand it to somebody else, and paste theirs here"
        case .otherSuite(let suite, let own):
            "this link is of a peer composed as \(suite), and this one is \(own); start chat-peer with --suite \(suite)"
        }
    }
}
