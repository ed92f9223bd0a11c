import ChatCodec
import ChatCrypto
import ChatDiscovery
import ChatInitialization
import ChatModel
import LogosFormats

// Kind `intro_bundle`: bundles and the links that carry them.
extension Kind {
    static let introBundle = Kind(
        name: "intro_bundle", run: operations(["create": createBundle, "parse": parseLink]), files: bundleFiles)
    private static let prefix = "logos_chatintro_1_"

    private static func createBundle(_ one: Case) async throws -> JSON {
        let draws = ScriptedDraws([
            ("intro_ephemeral_private", try one.bytes("ephemeral_private")), ("intro_signature_z", try one.bytes("z")),
        ])
        var step = Step(now: .zero, random: draws)
        var inbox = try InboxV1(identity: one.keyPair("identity_private"))
        let bytes = try inbox.introduce(1, in: &step)[0].bytes
        try draws.finish()
        let bundle = try IntroBundle(decoding: bytes)
        let message = Array(prefix.utf8) + bundle.ephemeral.bytes
        let made = try signatures(of: message, by: inbox.identity.secret, z: one.secret("z"))
        for signature in [made.reduced, made.unreduced] {
            _ = try IntroLink(
                link(
                    try IntroBundle(
                        installation: bundle.installation, ephemeral: bundle.ephemeral, signature: signature)))
        }
        return [
            "installation_key": .hex(bundle.installation.bytes), "ephemeral_key": .hex(bundle.ephemeral.bytes),
            "signature": .hex(bundle.signature), "signature_unreduced": .hex(made.unreduced), "proto": .hex(bytes),
            "text": .string(link(bundle)),
        ]
    }

    static func link(_ bundle: IntroBundle) -> String { prefix + Base64URL.encode(bundle.encoded().array) }

    private static func parseLink(_ one: Case) async throws -> JSON {
        let bytes = one.has("text") ? Array(try one.text("text").utf8) : try one.bytes("text_hex")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Refused("malformed", "a link that is not UTF-8")
        }
        let bundle = try IntroBundle(decoding: IntroLink(text).bundle.bytes)
        return [
            "installation_key": .hex(bundle.installation.bytes), "ephemeral_key": .hex(bundle.ephemeral.bytes),
            "signature": .hex(bundle.signature),
        ]
    }

    /// A bundle of named keys.
    static func bundle(_ identity: KeyPair, _ ephemeral: KeyPair, z: [UInt8]) throws -> IntroBundle {
        try bundle(identity, ephemeral.publicKey, z: z)
    }

    /// The same where nobody has the private half of the ephemeral key.
    static func bundle(_ identity: KeyPair, _ ephemeral: PublicKey, z: [UInt8]) throws -> IntroBundle {
        let message = Array(prefix.utf8) + ephemeral.bytes
        let signature = try XEdDSA.sign(message.span, with: identity.secret, z: Secret(copying: z.span))
        return try IntroBundle(installation: identity.publicKey, ephemeral: ephemeral, signature: signature)
    }

    private static func bundleFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        func parse(_ id: String, _ comment: String, _ text: String, error: String? = nil) {
            cases.append(draft(id, comment, ["operation": "parse", "text": .string(text)], error: error))
        }
        for number in 0..<4 {
            let (identity, ephemeral) = (
                try maker.keyPair("intro/identity/\(number)"), try maker.keyPair("intro/ephemeral/\(number)")
            )
            let z = maker.bytes(64, "intro/z/\(number)")
            cases.append(
                draft(
                    "create-\(number)", "the signature, and so the text, may differ (see xeddsa)",
                    [
                        "operation": "create", "identity_private": .hex(identity.secret),
                        "ephemeral_private": .hex(ephemeral.secret), "z": .hex(z),
                    ]))
            parse("parse-\(number)", "a link (INTRO-01)", link(try bundle(identity, ephemeral, z: z)))
        }
        let good = try bundle(
            maker.keyPair("intro/identity/0"), maker.keyPair("intro/ephemeral/0"), z: maker.bytes(64, "intro/z/0"))
        let (bytes, text) = (good.encoded().array, link(good))
        let fields = [Array(bytes[..<34]), Array(bytes[34..<68]), Array(bytes[68...])]
        func encoded(_ bytes: [UInt8]) -> String { prefix + Base64URL.encode(bytes) }
        parse("another-order", "any valid encoding is read (INTRO-05)", encoded(fields[2] + fields[0] + fields[1]))
        parse("unknown-field", "an unknown field is skipped (INTRO-05)", encoded(bytes + [0x22, 0x01, 0x00]))
        parse("field-twice", "of a repeated field the last counts", encoded([0x0a, 0x01, 0x00] + bytes))
        let bad: [(String, String, String, String)] = [
            ("flipped", "one bit of the signature flipped", encoded(flipped(bytes, at: -10)), "authentication_failed"),
            (
                "other-ephemeral", "another ephemeral key under the same signature", encoded(flipped(bytes, at: 40)),
                "authentication_failed"
            ),
            (
                "identity-bit-255", "another spelling of the installation key (CRY-2, CRY-8)",
                encoded(Array(bytes[..<33]) + [bytes[33] | 0x80] + Array(bytes[34...])), "authentication_failed"
            ),
            ("no-signature", "a bundle without signature (INTRO-07)", encoded(fields[0] + fields[1]), "malformed"),
            ("no-key", "a bundle without ephemeral key", encoded(fields[0] + fields[2]), "malformed"),
            ("cut", "the last byte is missing", encoded(Array(bytes.dropLast())), "malformed"),
            ("padding", "base64url with padding (INTRO-04)", text + "=", "malformed"),
            ("bad-character", "a character of another alphabet", text.dropLast() + "+", "malformed"),
            ("empty-payload", "nothing behind the version", prefix, "malformed"),
            ("version-2", "a later version (INTRO-03)", "logos_chatintro_2_AAAA", "unsupported"),
            (
                "version-leading-zero", "a version is decimal without leading zeros", "logos_chatintro_01_AA",
                "malformed"
            ),
            ("no-version", "three parts only", "logos_chatintro_AAAA", "malformed"),
            ("other-prefix", "not a link", "waku_chatintro_1_AAAA", "malformed"),
            ("empty", "no text", "", "malformed"),
            ("too-long", "longer than any link (LINK-3)", prefix + String(repeating: "A", count: 8_192), "too_large"),
        ]
        for (id, comment, text, error) in bad { parse(id, comment, text, error: error) }
        cases.append(
            draft(
                "not-text", "bytes that are not UTF-8", ["operation": "parse", "text_hex": "6c6f676f735fff"],
                error: "malformed"))
        return [VectorFile("intro_bundle.json", kind: "intro_bundle", profile: "all", cases: cases)]
    }
}
