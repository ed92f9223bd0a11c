import ChatCodec
import ChatFraming
import ChatModel

// Kinds `envelope` and `plain_framing`: what a framing puts around a payload, and whose it is.
extension Kind {
    static let envelope = Kind(
        name: "envelope", run: operations(["wrap": wrapEnvelope, "unwrap": unwrapEnvelope]), files: envelopeFiles)
    static let plainFraming = Kind(
        name: "plain_framing", run: operations(["wrap": wrapPlain, "unwrap": unwrapPlain]), files: plainFramingFiles)

    private static let address: DeliveryAddress = "a"

    private static func framing(_ one: Case) throws -> EnvelopeV1 {
        guard let profile = EnvelopeV1.Profile(rawValue: try one.text("profile")) else {
            throw Problem.notApplicable("profile \(try one.text("profile"))")
        }
        return EnvelopeV1(profile)
    }

    private static func wrapEnvelope(_ one: Case) async throws -> JSON {
        let salt = try one.has("salt") ? one.uint64("salt") : 0
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: salt >> (8 * UInt64($0))) }
        return try wrap(framing(one), one, ScriptedDraws(one.has("salt") ? [("salt", bytes)] : []))
    }

    private static func unwrapEnvelope(_ one: Case) async throws -> JSON { try unwrap(framing(one), one) }

    private static func wrapPlain(_ one: Case) async throws -> JSON { try wrap(PlainFraming(), one, ScriptedDraws()) }

    private static func unwrapPlain(_ one: Case) async throws -> JSON { try unwrap(PlainFraming(), one) }

    private static func wrap(_ framing: some FramingStrategy, _ one: Case, _ draws: ScriptedDraws) throws -> JSON {
        var framing = framing
        var step = Step(now: .zero, random: draws)
        let routed = Routed(address, Route(try one.text("route")), payload: Bytes(try one.bytes("payload")))
        let wrapped = try framing.wrap(routed, of: .initialization, random: &step.random)
        try draws.finish()
        return ["bytes": .hex(wrapped.payload)]
    }

    private static func unwrap(_ framing: some FramingStrategy, _ one: Case) throws -> JSON {
        var framing = framing
        framing.listen(try one.texts("routes").map { Listening(address, Route($0)) }, for: .initialization)
        switch try framing.unwrap(Addressed(address, payload: Bytes(try one.bytes("bytes")))) {
        case .payload(let routed, _): return ["route": .string(routed.route.id), "payload": .hex(routed.payload)]
        case .foreign, .idle: return ["result": "ignored"]
        }
    }

    private static func envelopeFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        let payload = maker.hex(40, "envelope/payload")
        let routes: JSON = ["somebody", "convo-1", "9a82c808987683928976f63b2b1403036e82"]
        for (number, salt) in [UInt64(1), 0x0102_0304_0506_0708, .max].enumerated() {
            let wrap: JSON = [
                "operation": "wrap", "profile": "reference", "route": "convo-1", "salt": JSON(salt), "payload": payload,
            ]
            let bytes = try await wrapEnvelope(Case(json: wrap))["bytes"] ?? .null
            let unwrap: JSON = ["operation": "unwrap", "profile": "reference", "routes": routes, "bytes": bytes]
            cases += [
                draft("reference-wrap-\(number)", "a salted hint (ENV-02)", wrap),
                draft("reference-unwrap-\(number)", "found by hashing every route (ENV-02)", unwrap),
                draft(
                    "reference-foreign-\(number)", "nobody's here (ENV-03)",
                    unwrap.adding(["routes": ["convo-2"], "result": "ignored"])),
            ]
        }
        for (id, route, payload) in [
            ("", "convo-1", payload), ("-empty", "x", ""), ("-longest", String(repeating: "r", count: 255), payload),
        ] as [(String, String, JSON)] {
            let wrap: JSON = ["operation": "wrap", "profile": "libchat", "route": .string(route), "payload": payload]
            let bytes = try await wrapEnvelope(Case(json: wrap))["bytes"] ?? .null
            let unwrap: JSON = [
                "operation": "unwrap", "profile": "libchat", "routes": [.string(route)], "bytes": bytes,
            ]
            cases += [
                draft("libchat-wrap\(id)", "the route as hint", wrap),
                draft("libchat-unwrap\(id)", "found by its name", unwrap),
                draft(
                    "libchat-foreign\(id)", "nobody's here (ENV-03)",
                    unwrap.adding(["routes": ["convo-2"], "result": "ignored"])),
            ]
        }
        for profile in ["libchat", "reference"] {
            func unwrap(_ id: String, _ comment: String, _ bytes: String, error: String? = nil, ignored: Bool = false) {
                let fields: JSON = [
                    "operation": "unwrap", "profile": .string(profile), "routes": routes, "bytes": .string(bytes),
                ]
                cases.append(
                    draft(
                        "\(profile)-\(id)", comment, ignored ? fields.adding(["result": "ignored"]) : fields,
                        error: error))
            }
            unwrap("no-hint", "an envelope without hint is nobody's (EV1-2)", "2a02cafe", ignored: true)
            unwrap("nothing", "no bytes at all are nobody's", "", ignored: true)
            unwrap(
                "long-hint", "a hint longer than any route is nobody's (EV1-3)",
                "0a8002" + String(repeating: "78", count: 256), ignored: true)
            unwrap("not-utf8", "a hint that is not UTF-8", "0a02c328", error: "malformed")
            unwrap("cut", "a field goes beyond the end", "0a0978", error: "malformed")
            unwrap("no-proto3", "bytes that are no message", "ff", error: "malformed")
        }
        let plain: JSON = [
            "operation": "unwrap", "profile": "reference", "routes": routes, "bytes": "0a07636f6e766f2d312a02cafe",
        ]
        cases.append(
            draft("reference-plain-hint", "our route in plain where hints are salted", plain, error: "unsupported"))
        return [VectorFile("envelope.json", kind: "envelope", profile: "libchat and reference", cases: cases)]
    }

    private static func plainFramingFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        for (id, route, payload) in [
            ("", "convo-1", maker.hex(40, "plain_framing")), ("-empty", "x", ""),
            ("-longest", String(repeating: "r", count: 255), "01"),
        ] as [(String, String, JSON)] {
            let wrap: JSON = ["operation": "wrap", "route": .string(route), "payload": payload]
            let bytes = try await wrapPlain(Case(json: wrap))["bytes"] ?? .null
            let unwrap: JSON = ["operation": "unwrap", "routes": [.string(route)], "bytes": bytes]
            cases += [
                draft("wrap\(id)", "version, route, length, payload (PLAINFRAMING-1)", wrap),
                draft("unwrap\(id)", "the reverse", unwrap),
                draft(
                    "foreign\(id)", "nobody's here (ENV-03)",
                    unwrap.adding(["routes": ["convo-2"], "result": "ignored"])),
            ]
        }
        func bad(_ id: String, _ comment: String, _ bytes: String, _ error: String) {
            cases.append(
                draft(id, comment, ["operation": "unwrap", "routes": ["x"], "bytes": .string(bytes)], error: error))
        }
        bad("nothing", "no bytes at all", "", "malformed")
        bad("version", "another version", "02017800000000", "unsupported")
        bad("no-route", "a route of no bytes", "010000000000", "malformed")
        bad("cut-route", "it ends in the route", "01057878", "malformed")
        bad("cut-length", "it ends in the length", "010178000000", "malformed")
        bad("cut-payload", "it ends in the payload", "0101780000000201", "malformed")
        bad("trailing", "a byte behind the payload", "010178000000010102", "malformed")
        bad("huge", "a length of 2^32 - 1", "010178ffffffff", "malformed")
        bad("not-utf8", "a route that is not UTF-8", "0102c32800000000", "malformed")
        cases.append(
            draft(
                "wrap-no-route", "a route of no bytes is not written (FRAMING-5)",
                ["operation": "wrap", "route": "", "payload": ""], error: "malformed"))
        return [VectorFile("plain_framing.json", kind: "plain_framing", profile: "all", cases: cases)]
    }
}
