import ChatCodec
import ChatConversation
import ChatCrypto
import ChatFraming
import ChatModel

// Kind `rpi`: secrets of routes, and the identifiers that follow from them.
extension Kind {
    static let rpi = Kind(
        name: "rpi", run: operations(["secret": routeSecret, "wrap": wrapRPI, "unwrap": unwrapRPI]), files: rpiFiles)

    private static let conversation = Owner.conversation(ConversationID("conversation"))

    private static func routeSecret(_ one: Case) async throws -> JSON {
        ["secret": .hex(RouteSecret.following(try one.secret("key")))]
    }

    private static func owner(_ one: Case) throws -> Owner {
        switch try one.text("owner") {
        case "conversation": conversation
        case "initialization": .initialization
        default: throw Problem.notApplicable("owner \(try one.text("owner"))")
        }
    }

    private static func route(_ one: Case) throws -> Route {
        Route(try one.text("route"), secret: one.has("secret") ? try one.secret("secret") : nil)
    }

    private static func wrapRPI(_ one: Case) async throws -> JSON {
        let draws = ScriptedDraws(try one.optionalBytes("salt").map { [("salt", $0)] } ?? [])
        var (framing, random): (RPIV1, any RandomSource) = (RPIV1(), draws)
        let routed = Routed(
            DeliveryAddress(try one.text("address")), try route(one), payload: Bytes(try one.bytes("payload")),
            sequence: try one.uint64("sequence"))
        let wrapped = try framing.wrap(routed, of: try owner(one), random: &random)
        try draws.finish()
        return ["bytes": .hex(wrapped.payload)]
    }

    private static func unwrapRPI(_ one: Case) async throws -> JSON {
        var framing = RPIV1()
        let address = DeliveryAddress(try one.text("address"))
        let listening = try one.list("listening").map { listening in
            let window = SequenceWindow(
                lowestWanted: try listening.uint64("lowest_wanted"),
                highestSeen: listening.has("highest_seen") ? try listening.uint64("highest_seen") : nil)
            return Listening(address, try route(listening), window: window)
        }
        framing.listen(listening, for: try owner(one))
        switch try framing.unwrap(Addressed(address, payload: Bytes(try one.bytes("bytes")))) {
        case .payload(let routed, _):
            return [
                "route": .string(routed.route.id), "sequence": JSON(routed.sequence), "payload": .hex(routed.payload),
            ]
        case .foreign, .idle: return ["result": "ignored"]
        }
    }

    private static func rpiFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases = [
            draft(
                "secret", "the secret of a route follows from a key (CONVERSATION-13)",
                ["operation": "secret", "key": maker.hex(32, "rpi/key")])
        ]
        let secret = maker.hex(32, "rpi/secret")
        let payload = maker.hex(40, "rpi/payload")
        let base: JSON = [
            "operation": "wrap", "owner": "conversation", "address": "a", "route": "convo-1", "secret": secret,
            "sequence": 1, "payload": payload,
        ]
        let salt: JSON = ["salt": maker.hex(8, "rpi/salt"), "sequence": 0]
        let invite = base.without("secret").adding(salt).adding(["owner": "initialization"])
        for (id, comment, wrap, lowest) in [
            ("first", "the first sequence (RPIV1-1)", base, 1),
            ("large", "a sequence of eight bytes", base.adding(["sequence": JSON(UInt64(1) << 54)]), 1),
            ("address", "the address is part of the key (RPIV1-2)", base.adding(["address": "ä/b"]), 1),
            ("route", "so is the route, here the longest", base.adding(["route": .string(longest)]), 1),
            ("empty", "no payload at all", base.adding(["payload": ""]), 1),
            ("salted", "a type that does not count (RPIV1-3)", base.adding(salt), 0),
            ("invite", "first contact has no secret (RPIV1-4)", invite, 0),
        ] as [(String, String, JSON, Int)] {
            let bytes = try await wrapRPI(Case(json: wrap))["bytes"] ?? .null
            var listened: JSON = ["route": wrap["route"] ?? .null, "lowest_wanted": JSON(UInt64(lowest))]
            if let secret = wrap["secret"] { listened = listened.adding(["secret": secret]) }
            let unwrap: JSON = [
                "operation": "unwrap", "owner": wrap["owner"] ?? .null, "address": wrap["address"] ?? .null,
                "listening": [listened], "bytes": bytes,
            ]
            let elsewhere = listened.adding(["route": "convo-2"])
            cases += [
                draft("wrap-\(id)", comment, wrap), draft("unwrap-\(id)", "the reverse", unwrap),
                draft(
                    "foreign-\(id)", "nobody's here (RPIV1-6)",
                    unwrap.adding(["listening": [elsewhere], "result": "ignored"])),
            ]
        }
        cases.append(
            draft(
                "no-secret", "a conversation's route without a secret (RPIV1-5)",
                base.without("secret"), error: "unsupported"))
        cases += try await windows(base)
        for size in [0, 15] {
            let bytes = String(repeating: "00", count: size)
            cases.append(
                draft(
                    "short-\(size)", "less than an identifier (RPIV1-6)",
                    [
                        "operation": "unwrap", "owner": "conversation", "address": "a", "listening": [],
                        "bytes": .string(bytes),
                    ], error: "malformed"))
        }
        return [VectorFile("rpi.json", kind: "rpi", profile: "reference", cases: cases)]
    }

    /// Sequences inside and outside of a window that a machine states.
    private static func windows(_ base: JSON) async throws -> [JSON] {
        var cases: [JSON] = []
        let sequences: [(UInt64, Bool)] = [
            (4, false), (5, true), (20, true), (21, true), (23, true), (24, true), (25, true), (64, true),
            (5_000, true), (1 << 54, true),
        ]
        for (sequence, isFound) in sequences {
            let bytes = try await wrapRPI(Case(json: base.adding(["sequence": JSON(sequence)])))["bytes"] ?? .null
            let listened: JSON = [
                "route": base["route"] ?? .null, "secret": base["secret"] ?? .null, "lowest_wanted": 5,
                "highest_seen": 20,
            ]
            let unwrap: JSON = [
                "operation": "unwrap", "owner": "conversation", "address": "a", "listening": [listened], "bytes": bytes,
            ]
            cases.append(
                draft(
                    "window-\(sequence)", isFound ? "wanted, or ahead (RPIV1-8, -10)" : "given up (RPIV1-6)",
                    isFound ? unwrap : unwrap.adding(["result": "ignored"])))
        }
        return cases
    }

    private static let longest = String(repeating: "r", count: Route.maximumID)
}
