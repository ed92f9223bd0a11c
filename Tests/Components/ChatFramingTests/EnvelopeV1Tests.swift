import ChatFraming
import ChatModel
import TestSupport
import Testing

private let route = Route("convo-1")
private let hint = "2fe02c2719ac4714080927265a45d44347f2b85d76417766be8e645e2d39fc98"

@Suite struct EnvelopeV1Tests {
    private let reference = EnvelopeV1().listening([Listening("a", route)], for: raya)
    private let libchat = EnvelopeV1(.libchat).listening([Listening("a", route)], for: raya)

    @Test func `the examples of the specification have these bytes`() throws {
        let routed = Routed("a", route, payload: Bytes("hello"))
        let examples = try blocks(of: "envelope-v1.md").map(example)
        #expect(examples.map(\.count) == [75, 16])
        #expect(try reference.wrapped(routed, in: turn(salt: 1)).payload.array == examples[0])
        #expect(try libchat.wrapped(routed, in: turn()).payload.array == examples[1])
        #expect(try reference.unwrap(examples[0]) == .payload(routed, for: raya))
        #expect(try libchat.unwrap(examples[1]) == .payload(routed, for: raya))
    }

    @Test func `the hint is BLAKE2s of the salt, least significant byte first, and the route (ENV-02)`() throws {
        let known = [
            ("convo-1", hint),
            (
                "f74352fb42cf3dd5b4cfe2b335b30e2f",
                "68641064be97576759fe9a667a0f4466eea77ada0247de951dd101f041407b63"
            ),
        ]
        for (id, hint) in known {
            let addressed = try reference.wrapped(Routed("a", Route(id), payload: [1]), in: turn(salt: 1))
            #expect(addressed.payload.array == [0x0A, 0x40] + Array(hint.utf8) + [0x10, 1, 0x2A, 1, 1])
        }
    }

    @Test func `no two envelopes of one payload are alike (ENV-06)`() throws {
        var (framing, turn) = (reference, turn())
        var hints: Set<[UInt8]> = []
        for _ in 0..<1_000 {
            let addressed = try framing.wrap(
                Routed("a", route, payload: [1]), of: .initialization, random: &turn.random)
            hints.insert(Array(addressed.payload.array[2..<66]))
            #expect(try framing.unwrap(addressed) == .payload(Routed("a", route, payload: [1]), for: raya))
        }
        #expect(hints.count == 1_000)
        let fixed = try (0..<2).map { _ in try libchat.wrapped(Routed("a", route, payload: [1]), in: turn) }
        #expect(fixed[0] == fixed[1])
    }

    @Test func `an envelope is hint, salt and payload, whoever sends it (ENV-04)`() throws {
        // Nothing goes in but route, payload and salt: two clients with other machines write the same bytes.
        let (one, other) = (EnvelopeV1(), EnvelopeV1().listening([Listening("b", Route("x"))], for: saro))
        let routed = Routed("a", route, payload: [1], sequence: 7)
        let bytes = try one.wrapped(routed, in: turn(salt: 9)).payload
        #expect(bytes == (try other.wrapped(routed, in: turn(salt: 9)).payload))
        #expect(bytes.count == 66 + 2 + 3)
    }

    @Test(arguments: [
        ("0a", "the length is missing"), ("0a05616263", "the hint is cut off"), ("1080", "the salt is cut off"),
        ("2a0501", "the payload is cut off"), ("0a02c3280a", "the hint is no UTF-8, and more"),
        ("0a02c328", "no UTF-8"),
        ("0801", "the hint is a number"), ("2801", "the payload is a number"), ("12026162", "the salt is a text"),
        ("00", "field 0"), ("0b", "a group"), ("10ffffffffffffffffff02", "a salt of 65 bits"),
    ])
    func `bytes that are no envelope are invalid (EV1-1)`(hex: String, why: Comment) {
        for framing in [reference, libchat] {
            let error = #expect(throws: Refusal.self, why) { try framing.unwrap([UInt8](hex: hex)) }
            #expect(error?.outcome == .invalid, why)
            #expect(error?.cause.code == "malformed", why)
        }
    }

    private static let foreign: [(hex: String, why: Comment)] = [
        ("", "nothing at all"), ("1001", "no hint"), ("2a0101", "a payload alone"), ("0a0178", "a route of nobody"),
        ("0a07636f6e766f2d32", "almost ours"), ("0a06636f6e766f2d", "a part of ours"),
        ("0a40" + String(repeating: "61", count: 64), "64 digits"),
        ("0a40" + String(repeating: "7a", count: 64), "64 letters"),
        ("0a8002" + String(repeating: "72", count: 256), "longer than any route"),
        ("0a8002" + String(repeating: "ff", count: 256), "longer than any route, and not looked at"),
    ]

    @Test(arguments: foreign)
    func `an envelope with no hint or another's is foreign (ENV-03, EV1-3)`(hex: String, why: Comment) throws {
        for framing in [reference, libchat, EnvelopeV1(acceptsPlainHints: true)] {
            #expect(try framing.unwrap([UInt8](hex: hex)) == .foreign, why)
        }
    }

    @Test func `a hint in plain is unsupported unless asked for (EV1-5)`() throws {
        let routed = Routed("a", route, payload: [1])
        let plain = try libchat.wrapped(routed, in: turn())
        #expect(throws: Refusal(.unsupported, FramingError.plainHint)) { try reference.unwrap(plain) }
        let open = EnvelopeV1(acceptsPlainHints: true).listening([Listening("a", route)], for: raya)
        #expect(try open.unwrap(plain) == .payload(routed, for: raya))
        #expect(try open.unwrap(try reference.wrapped(routed, in: turn())) == .payload(routed, for: raya))
        #expect(try libchat.unwrap(try reference.wrapped(routed, in: turn())) == .foreign)
    }

    @Test func `a route of 64 hex digits is found by its hash and in plain`() throws {
        let digits = Route(hint)
        let routed = Routed("a", digits, payload: [1])
        let client = EnvelopeV1(acceptsPlainHints: true).listening([Listening("a", digits)], for: raya)
        #expect(try client.unwrap(try libchat.wrapped(routed, in: turn())) == .payload(routed, for: raya))
        #expect(try client.unwrap(try reference.wrapped(routed, in: turn())) == .payload(routed, for: raya))
    }

    @Test func `the hash counts, not the salt alone, and not in capitals (EV1-2)`() throws {
        let bytes = try reference.wrapped(Routed("a", route, payload: [1]), in: turn(salt: 1)).payload.array
        var otherSalt = bytes
        otherSalt[67] = 2
        #expect(try reference.unwrap(otherSalt) == .foreign)
        let capitals = bytes.map { (0x61...0x66).contains($0) ? $0 - 32 : $0 }
        #expect(try reference.unwrap(capitals) == .foreign)
    }

    @Test func `every digit of a hint counts (EV1-2, EV1-3)`() throws {
        let bytes = try reference.wrapped(Routed("a", route, payload: [1]), in: turn(salt: 1)).payload.array
        for index in 0..<64 {
            var almost = bytes
            almost[2 + index] = almost[2 + index] == 0x30 ? 0x31 : 0x30
            #expect(try reference.unwrap(almost) == .foreign, "digit \(index)")
        }
    }

    @Test func `salt 0 is omitted and still a salt`() throws {
        let routed = Routed("a", route, payload: [1])
        let addressed = try reference.wrapped(routed, in: turn(salt: 0))
        #expect(addressed.payload.count == 66 + 3)
        #expect(try reference.unwrap(addressed) == .payload(routed, for: raya))
    }

    @Test func `fields in any order, unknown and repeated ones are read as proto3 has it (EV1-1)`() throws {
        let hint = [0x0A, 7] + Array("convo-1".utf8)
        let expected = Unwrapped.payload(Routed("a", route, payload: [2]), for: raya)
        #expect(try libchat.unwrap([0x2A, 1, 2] + hint) == expected)
        #expect(try libchat.unwrap([0x1A, 1, 9, 0x2A, 1, 1] + hint + [0x30, 5, 0x2A, 1, 2]) == expected)
        #expect(try libchat.unwrap([0x0A, 1, 0x78] + hint + [0x2A, 1, 2]) == expected)
    }

    @Test func `an envelope without a payload carries an empty one (EV1-6)`() throws {
        let empty = Unwrapped.payload(Routed("a", route, payload: []), for: raya)
        #expect(try libchat.unwrap([0x0A, 7] + Array("convo-1".utf8)) == empty)
        #expect(try libchat.unwrap([0x0A, 7] + Array("convo-1".utf8) + [0x2A, 0]) == empty)
        #expect(try libchat.wrapped(Routed("a", route, payload: []), in: turn()).payload.count == 9)
    }

    @Test(arguments: EnvelopeV1.Profile.allCases)
    func `200,000 hostile inputs are refused, foreign or found`(profile: EnvelopeV1.Profile) throws {
        let client = EnvelopeV1(profile).listening([Listening("a", route)], for: raya)
        let valid = try [0, 1, 30].map { size in
            let payload = Bytes([UInt8](repeating: 1, count: size))
            return try client.wrapped(Routed("a", route, payload: payload), in: turn(salt: 300)).payload.array
        }
        var counts: [String: Int] = [:]
        var inputs = HostileInputs(seed: 13, valid: valid)
        inputs.forEach { bytes in
            do throws(Refusal) {
                switch try client.unwrap(bytes) {
                case .foreign: counts["foreign", default: 0] += 1
                case .idle: counts["idle", default: 0] += 1
                case .payload(let routed, let owner):
                    counts["payload", default: 0] += 1
                    if owner != raya || routed.payload.count > bytes.count { Issue.record("\(bytes.hex)") }
                }
            } catch {
                counts[error.outcome.rawValue, default: 0] += 1
            }
        }
        print("\(client.facts.name): \(counts.sorted { $0.key < $1.key })")
        #expect(counts.values.reduce(0, +) == HostileInputs.usualCount)
        for kind in ["payload", "foreign", "invalid"] {
            #expect(counts[kind, default: 0] > HostileInputs.usualCount / 200, "\(kind)")
        }
    }

    @Test func `the vectors of the envelope are read and written`() throws {
        let cases: (Vector) throws -> Bool = { $0.has("message") ? try $0.text("message") == "EnvelopeV1" : false }
        try Vectors.run("logos/envelope.json", only: cases) { vector in
            let (bytes, fields) = (try vector.bytes("bytes"), try vector.at("fields"))
            guard fields.has("conversation_hint") else {
                #expect(try libchat.unwrap(bytes) == .foreign, "\(vector)")
                return
            }
            let route = Route(try fields.text("conversation_hint"))
            let routed = Routed("a", route, payload: Bytes(try fields.optionalBytes("payload") ?? []))
            let client = EnvelopeV1(.libchat).listening([Listening("a", route)], for: raya)
            #expect(try client.unwrap(bytes) == .payload(routed, for: raya), "\(vector)")
            let salt = fields.has("salt") ? try fields.number64("salt") : 0
            guard try vector.text("operation") == "roundtrip", salt == 0 else { return }
            #expect(try client.wrapped(routed, in: turn()).payload.array == bytes, "\(vector)")
        }
    }
}
