import ChatCodec
import ChatCrypto
import ChatInitialization
import ChatModel

// Kind `open_invite`: first contact without cryptography.
extension Kind {
    static let openInvite = Kind(
        name: "open_invite", run: operations(["bundle": openBundle, "invite": writeOpen, "open": readOpen]),
        files: openFiles)

    private static func openBundle(_ one: Case) async throws -> JSON {
        let (inbox, life) = (try one.bytes("inbox"), try one.int("lifetime_seconds"))
        var machine = OpenInvite(lifetime: life == 0 ? nil : .seconds(life))
        var step = Step(
            now: Timestamp(milliseconds: try one.uint64("now_ms")), random: ScriptedDraws([("identifier", inbox)]))
        let bundle = try machine.introduce(1, in: &step)[0]
        return [
            "bytes": .hex(bundle.bytes), "route": .string(machine.listening[0].route.id),
            "address": .string(machine.listening[0].address.text),
        ]
    }

    private static func writeOpen(_ one: Case) async throws -> JSON {
        let draws = ScriptedDraws([("secret", try one.bytes("secret"))])
        var step = Step(now: Timestamp(milliseconds: try one.uint64("now_ms")), random: draws)
        var machine = OpenInvite()
        let bundle = IntroductionBundle(scheme: OpenInvite.scheme, bytes: Bytes(try one.bytes("bundle")))
        let type = ConversationType(try one.text("conversation_type"))
        guard let seed = try machine.begin(type, with: bundle, as: ContactID(1), in: &step) else {
            throw Problem.differs("there is no seed")
        }
        try machine.invite(ContactID(1), opening: Bytes(try one.bytes("opening")), for: nil, in: &step)
        let routed = step.sends[0].routed
        return [
            "responder_key": .hex(seed.remoteKeys[0].bytes), "address": .string(routed.address.text),
            "route": .string(routed.route.id), "payload": .hex(routed.payload),
        ]
    }

    private static func readOpen(_ one: Case) async throws -> JSON {
        var step = Step(now: .zero, random: ScriptedDraws())
        var machine = OpenInvite()
        let routed = Routed("a", Route("r"), payload: Bytes(try one.bytes("payload")))
        if one.has("is_repeated"), try one.bool("is_repeated") { try machine.receive(routed, in: &step) }
        step.clear()
        try machine.receive(routed, in: &step)
        let seed = step.seeds[0]
        return [
            "conversation_type": .string(seed.type.name), "secret": seed.secret.map { .hex($0) } ?? .null,
            "opening": seed.opening.map { .hex($0) } ?? .null, "responder_key": .hex(seed.ownKeys[0].publicKey.bytes),
        ]
    }

    private static func openFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        let (inbox, secret) = (maker.hex(16, "open_invite/inbox"), maker.hex(32, "open_invite/secret"))
        for life in [0, 60] {
            cases.append(
                draft(
                    "bundle-\(life)", life == 0 ? "a bundle for ever (OPEN-1)" : "a bundle for a minute (OPEN-1)",
                    [
                        "operation": "bundle", "inbox": inbox, "lifetime_seconds": JSON(life),
                        "now_ms": 1_700_000_000_000,
                    ]))
        }
        let bundle = OpenBundle(inbox: maker.bytes(16, "open_invite/inbox"), expiry: 1_700_000_060_000).encoded()
        let invite: JSON = [
            "operation": "invite", "bundle": .hex(bundle), "now_ms": 1_700_000_000_000, "secret": secret,
            "conversation_type": "plain", "opening": .hex([UInt8]("hello".utf8)),
        ]
        cases += [
            draft("invite", "type, secret and opening in clear (OPEN-3)", invite),
            draft(
                "expired", "a bundle whose time is over (OPEN-5)", invite.adding(["now_ms": 1_700_000_060_000]),
                error: "expired"),
            draft(
                "short-inbox", "an inbox of 15 bytes", invite.adding(["bundle": "0a0f444444444444444444444444444444"]),
                error: "malformed"),
            draft("no-bundle", "an empty bundle", invite.adding(["bundle": ""]), error: "malformed"),
        ]
        let good = OpenFrame(
            type: "plain", secret: Bytes(maker.bytes(32, "open_invite/secret")), opening: Bytes("hello"))
        func open(_ id: String, _ comment: String, _ frame: Bytes, error: String? = nil, repeated: Bool = false) {
            let fields: JSON = ["operation": "open", "payload": .hex(frame)]
            cases.append(draft(id, comment, repeated ? fields.adding(["is_repeated": true]) : fields, error: error))
        }
        open("open", "the same invite at its recipient; both compute the responder's key (OPEN-4)", good.encoded())
        open("open-unknown-field", "an unknown field is skipped", Bytes(good.encoded().array + [0x7a, 0x00]))
        open("open-empty", "nothing is said first", OpenFrame(type: "x", secret: good.secret, opening: []).encoded())
        open("repeated", "an invite is good once (OPEN-6)", good.encoded(), error: "replay", repeated: true)
        open(
            "no-type", "no conversation type", OpenFrame(type: "", secret: good.secret, opening: []).encoded(),
            error: "malformed")
        open(
            "long-type", "a conversation type of 256 bytes",
            OpenFrame(type: String(repeating: "x", count: 256), secret: good.secret, opening: []).encoded(),
            error: "too_large")
        open(
            "short-secret", "a secret of 31 bytes",
            OpenFrame(type: "x", secret: good.secret.slice(0..<31), opening: []).encoded(), error: "malformed")
        open("no-proto3", "bytes that are no message", [0xff], error: "malformed")
        return [VectorFile("open_invite.json", kind: "open_invite", profile: "all", cases: cases)]
    }
}
