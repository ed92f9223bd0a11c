public import ChatCodec
public import ChatModel

/// Whose a request is, by the two JSON objects of a token whose signature was checked (CE-23, section 10 of
/// `Specs/chat-engine.md`).
public struct Bearer: Hashable, Sendable {
    /// Who owns sessions.
    public let client: String
    /// Who asks; for logs.
    public let subject: String

    /// Reads header and claims: `alg` is HS256 and nothing else, no extension is critical (`crit`, RFC 7515 section
    /// 4.1.11: none is understood here), `exp` lies ahead, `nbf` does not, `sub` and `client_id` are there. There is no
    /// leeway, and other claims are nobody's business.
    public init(header: JSON, claims: JSON, at now: Timestamp) throws(Violation) {
        guard header["crit"] == nil else { throw Violation(.authentication, "is not understood", at: "crit") }
        let (header, claims) = (try Fields(header, .lenient), try Fields(claims, .lenient))
        guard ExactText.isSame(try header.text("alg"), "HS256") else {
            throw Violation(.authentication, "is not HS256", at: "alg")
        }
        let seconds = Double(now.milliseconds) / 1_000
        guard let expiry = try claims.required("exp").double, expiry > seconds else {
            throw Violation(.authentication, "is no moment ahead", at: "exp")
        }
        if let json = claims.value("nbf") {
            guard let start = json.double, start <= seconds else {
                throw Violation(.authentication, "is no moment that has come", at: "nbf")
            }
        }
        subject = try claims.fullText("sub", .authentication)
        client = try claims.fullText("client_id", .authentication)
        // Storage that ends texts at U+0000 would take one client for another (CE-23).
        guard !client.unicodeScalars.contains("\0") else {
            throw Violation(.authentication, "contains U+0000", at: "client_id")
        }
    }

    /// The token of a header field `Authorization`; the case of the scheme's name does not count.
    public static func token(of field: String) -> String? {
        let words = field.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }
}
