import ChatCodec
import ChatCrypto
import ChatDiscovery
import ChatModel

// Kind `directory`: signed entries under a name, and the texts that find them.
extension Kind {
    static let directory = Kind(
        name: "directory", run: operations(["sign": signEntry, "read": readEntry, "query": readQuery]),
        files: directoryFiles)

    private static func signEntry(_ one: Case) async throws -> JSON {
        let pair = try Ed25519.keyPair(seed: one.secret("seed"))
        let name = try DirectoryName(one.text("name"))
        let bundles = try one.list("bundles").map { bundle in
            let expiry = try bundle.uint64("expiry")
            return IntroductionBundle(
                scheme: try bundle.text("scheme"), bytes: Bytes(try bundle.bytes("bytes")),
                expiry: expiry == 0 ? nil : Timestamp(milliseconds: expiry), isSingleUse: try bundle.bool("single_use"))
        }
        let entry = DirectoryEntry(
            name: name.text, publisher: pair.publicKey, sequence: try one.uint64("sequence"),
            expiry: Timestamp(milliseconds: try one.uint64("expiry")), bundles: bundles)
        return [
            "publisher": .hex(pair.publicKey.bytes), "address": .string(name.address.text),
            "bytes": .hex(try entry.signed(by: pair.secret)),
        ]
    }

    private static func readEntry(_ one: Case) async throws -> JSON {
        let query = try DirectoryQuery(one.text("query"))
        let signed = try SignedDirectoryEntry(Bytes(one.bytes("bytes")))
        try signed.check(for: query, now: Timestamp(milliseconds: one.uint64("now_ms")))
        try signed.verify()
        let entry = signed.entry
        return [
            "publisher": .hex(entry.publisher.bytes), "sequence": JSON(entry.sequence),
            "expiry": JSON(entry.expiry.milliseconds),
            "bundles": .array(
                entry.bundles.map { bundle in
                    [
                        "scheme": .string(bundle.scheme), "bytes": .hex(bundle.bytes),
                        "expiry": JSON(bundle.expiry?.milliseconds ?? 0), "single_use": .bool(bundle.isSingleUse),
                    ]
                }),
        ]
    }

    private static func readQuery(_ one: Case) async throws -> JSON {
        let query = try DirectoryQuery(one.text("text"))
        return [
            "name": .string(query.name.text), "address": .string(query.name.address.text),
            "publisher": query.publisher.map { .hex($0.bytes) } ?? .null,
        ]
    }

    private static func directoryFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        let bundle: JSON = [
            "scheme": "openinvite_1", "bytes": "010203", "expiry": 1_700_086_400_000, "single_use": true,
        ]
        let other: JSON = [
            "scheme": "chatintro_1", "bytes": maker.hex(134, "directory/bundle"), "expiry": 0, "single_use": false,
        ]
        let sign: JSON = [
            "operation": "sign", "seed": maker.hex(32, "directory/seed"), "name": "raya", "sequence": 1_700_000_000_000,
            "expiry": 1_700_604_800_000, "bundles": [bundle],
        ]
        let signed = try await signEntry(Case(json: sign))
        let (good, publisher) = (try Case(json: signed).bytes("bytes"), try Case(json: signed).bytes("publisher"))
        let read: JSON = ["operation": "read", "query": "raya", "now_ms": 1_700_000_000_001, "bytes": .hex(good)]
        let text = "raya@\(Base64URL.encode(publisher))"
        cases += [
            draft("sign", "one bundle (DIR-3)", sign),
            draft("sign-two", "two bundles, one of them for ever", sign.adding(["bundles": [bundle, other]])),
            draft("sign-none", "an entry without bundles withdraws them (DIR-5)", sign.adding(["bundles": []])),
            draft("sign-folded", "capitals of a name are folded (DIR-1)", sign.adding(["name": "Raya"])),
            draft(
                "sign-long-scheme", "a scheme of 65 bytes",
                sign.adding(["bundles": [bundle.adding(["scheme": .string(String(repeating: "s", count: 65))])]]),
                error: "too_large"),
            draft(
                "sign-many", "33 bundles", sign.adding(["bundles": .array(Array(repeating: bundle, count: 33))]),
                error: "too_large"),
            draft("read", "by name", read),
            draft("read-by-key", "by name and key (DIR-2)", read.adding(["query": .string(text)])),
            draft(
                "read-other-name", "another name was asked for (DIR-6)", read.adding(["query": "saro"]),
                error: "unsupported"),
            draft(
                "read-other-key", "another publisher was asked for (DIR-6)",
                read.adding(["query": .string("raya@" + String(repeating: "A", count: 43))]), error: "unsupported"),
            draft(
                "read-expired", "its time is over (DIR-6)", read.adding(["now_ms": 1_700_604_800_000]), error: "expired"
            ),
        ]
        let long = good + [0x7a, 0x80, 0x80, 0x02] + [UInt8](repeating: 0, count: 32_768)
        let bad: [(String, String, [UInt8], String)] = [
            ("flipped-signature", "one bit of the signature flipped", flipped(good, at: -1), "authentication_failed"),
            ("flipped-bundle", "one bit of a bundle flipped", flipped(good, at: 76), "authentication_failed"),
            ("version", "a later version", [0x08, 0x02] + good.dropFirst(2), "unsupported"),
            ("no-version", "no version", Array(good.dropFirst(2)), "malformed"),
            ("no-signature", "no signature", Array(good.dropLast(66)), "malformed"),
            ("cut", "it ends too early", Array(good.dropLast()), "malformed"),
            ("too-long", "more than 32,768 bytes", long, "malformed"),
            ("nothing", "no bytes at all", [], "malformed"),
        ]
        for (id, comment, bytes, error) in bad {
            cases.append(draft("read-\(id)", comment, read.adding(["bytes": .hex(bytes)]), error: error))
        }
        func query(_ id: String, _ comment: String, _ text: String, error: String? = nil) {
            cases.append(draft("query-\(id)", comment, ["operation": "query", "text": .string(text)], error: error))
        }
        query("name", "a name", "raya")
        query("white-space", "white space around it is left out (DIR-2)", " Raya\n")
        query("characters", "every character that a name may have", "a0.b-c_d")
        query("key", "a name and a key", text)
        query("empty", "no name", "", error: "malformed")
        query("dot-first", "punctuation stands between (DIR-1)", ".raya", error: "malformed")
        query("umlaut", "another character", "räya", error: "malformed")
        query("long", "65 characters", String(repeating: "a", count: 65), error: "too_large")
        query("short-key", "a key of 42 characters", String(text.dropLast()), error: "malformed")
        return [VectorFile("directory.json", kind: "directory", profile: "all", cases: cases)]
    }
}
