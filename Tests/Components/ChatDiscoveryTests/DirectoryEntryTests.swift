import ChatCodec
import ChatCrypto
import ChatDiscovery
import ChatModel
import TestSupport
import Testing

@Suite struct DirectoryEntryTests {
    private let place = Place()

    @Test func `the worked example of the specification has these bytes`() throws {
        let day = Timestamp(milliseconds: 1_700_086_400_000)
        let bundle = IntroductionBundle(scheme: "openinvite_1", bytes: [1, 2, 3], expiry: day, isSingleUse: true)
        let entry = DirectoryEntry(
            name: "raya", publisher: try key(0x11), sequence: 1_700_000_000_000,
            expiry: Timestamp(milliseconds: 1_700_604_800_000), bundles: [bundle])
        let example = example(try blocks(of: "directory.md")[0])
        #expect(example.count == 154)
        #expect(try entry.signed(by: seed(0x11)).array == example)
        let read = try SignedDirectoryEntry(Bytes(example))
        try read.verify()
        #expect(read.entry == entry)
        #expect(try DirectoryName("raya").address == "edd1cdfa05e7823e")
        let text = "raya@0EqyMnQrtKs6E2i9RhXk5tAiSrcaAWuvhSCjMsl3hzc"
        #expect(try DirectoryQuery(text).publisher == key(0x11))
        #expect(try DirectoryQuery(text).text == text)
    }

    @Test func `every single bit of an entry is covered (DIR-3)`() throws {
        let good = try place.entry(1).array
        for bit in 0..<good.count * 8 {
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: DirectoryRejection.self, "bit \(bit)") {
                try SignedDirectoryEntry(Bytes(bytes)).verify()
            }
        }
    }

    @Test func `every prefix of an entry is malformed`() throws {
        let good = try place.entry(1).array
        for count in 0..<good.count {
            #expect(throws: DirectoryRejection.malformed) { try SignedDirectoryEntry(Bytes(Array(good.prefix(count)))) }
        }
    }

    private static let frames: [(what: Comment, extra: String, DirectoryRejection)] = [
        ("version 0", "0800", .malformed),
        ("version 2", "0802", .unsupported),
        ("version 2³²", "088080808010", .unsupported),
        ("an empty entry", "1200", .malformed),
        ("a signature of 63 bytes", "1a3f" + zeros(63), .malformed),
        ("a signature of 65 bytes", "1a41" + zeros(65), .malformed),
        ("a signature of zeros", "1a40" + zeros(64), .forged),
        ("bytes beyond the end", "120500", .malformed),
        ("more than an entry may have", "7a808002" + zeros(32_768), .malformed),
    ]

    @Test(arguments: frames)
    func `a changed frame around an entry is refused`(what: Comment, extra: String, rejection: DirectoryRejection)
        throws
    {
        // The last field counts, so what is appended replaces what was there.
        let bytes = try place.entry(1).array + [UInt8](hex: extra)
        #expect(throws: rejection, what) { try SignedDirectoryEntry(Bytes(bytes)).verify() }
    }

    private static let entries: [(what: Comment, extra: String)] = [
        ("a key of 31 bytes", "121f" + zeros(31)),
        ("no key", "1200"),
        ("a name of 65 characters", "0a41" + zeros(65)),
        ("a name that is no UTF-8", "0a01ff"),
        ("a bundle without a scheme", "2a03120101"),
        ("a scheme of 65 bytes", "2a430a41" + zeros(65)),
        ("a bundle that is cut off", "2a030a0561"),
        ("33 bundles", String(repeating: "2a030a0161", count: 32)),
    ]

    @Test(arguments: entries)
    func `an entry beyond its limits is malformed though well signed`(what: Comment, extra: String) throws {
        let inner = DirectoryEntry(
            name: "raya", publisher: try key(1), sequence: 1, expiry: Timestamp(milliseconds: .max),
            bundles: [bundle(1)])
        let body = inner.encoded().array + [UInt8](hex: extra)
        let message = Array("chat_directory_1_".utf8) + body
        let signature = try Ed25519.sign(message.span, with: seed(1))
        let length = [UInt8(body.count & 0x7F | 0x80), UInt8(body.count >> 7)]
        let bytes = [0x08, 0x01, 0x12] + length + body + [0x1A, 0x40] + signature
        #expect(throws: DirectoryRejection.malformed, what) { try SignedDirectoryEntry(Bytes(bytes)) }
    }

    @Test func `an entry in another encoding is verified as it is (DIR-3)`() throws {
        let inner = DirectoryEntry(
            name: "raya", publisher: try key(1), sequence: 1, expiry: Timestamp(milliseconds: 2), bundles: [bundle(1)])
        // An unknown field, and the sequence a second time in ten bytes.
        let body = inner.encoded().array + [UInt8](hex: "7a0109 18 85808080808080808000")
        let message = Array("chat_directory_1_".utf8) + body
        let signature = try Ed25519.sign(message.span, with: seed(1))
        let bytes = [0x1A, 0x40] + signature + [0x12, UInt8(body.count)] + body + [0x08, 0x01]
        let read = try SignedDirectoryEntry(Bytes(bytes))
        try read.verify()
        #expect(read.entry.sequence == 5)
    }

    @Test func `nobody signs what readers would refuse (DISCOVERY-2)`() throws {
        let many = (0..<33).map { bundle(UInt8($0)) }
        #expect(throws: DiscoveryError.tooLarge("bundles of an entry", count: 33, limit: 32)) {
            try place.entry(1, many)
        }
        let large = IntroductionBundle(scheme: "a_1", bytes: Bytes([UInt8](repeating: 0, count: 33_000)))
        #expect(throws: DiscoveryError.self) { try place.entry(1, [large]) }
        let long = String(repeating: "a", count: 65)
        #expect(throws: DiscoveryError.tooLarge("bytes of a scheme", count: 65, limit: 64)) {
            try place.entry(1, [bundle(1, scheme: long)])
        }
        #expect(throws: DiscoveryError.malformed("a bundle has a scheme", at: 0)) {
            try place.entry(1, [bundle(1, scheme: "")])
        }
        for size in stride(from: 32_500, through: 32_800, by: 7) {
            let bundle = IntroductionBundle(scheme: "a_1", bytes: Bytes([UInt8](repeating: 0, count: size)))
            guard let payload = try? place.entry(1, [bundle]) else { continue }
            #expect(payload.count <= DirectoryLimits.entry)
            _ = try SignedDirectoryEntry(payload)
        }
    }

    @Test(arguments: [
        ("", DiscoveryError.malformed("a name has at least one character", at: 0)),
        ("@\(String(repeating: "A", count: 43))", .malformed("a name has at least one character", at: 0)),
        ("ra ya", .malformed("a name has letters a to z and digits, and between them . - and _", at: 2)),
        (".raya", .malformed("a name has letters a to z and digits, and between them . - and _", at: 0)),
        ("raya-", .malformed("a name has letters a to z and digits, and between them . - and _", at: 4)),
        ("rаya", .malformed("a name has letters a to z and digits, and between them . - and _", at: 1)),
        ("raya|x", .malformed("a name has letters a to z and digits, and between them . - and _", at: 4)),
        (String(repeating: "a", count: 65), .tooLarge("characters of a name", count: 65, limit: 64)),
        ("raya@", .malformed("a publisher's key has 43 characters of base64url", at: 5)),
        ("raya@AAAA", .malformed("a publisher's key has 43 characters of base64url", at: 5)),
        (
            "raya@\(String(repeating: "A", count: 44))",
            .malformed("a publisher's key has 43 characters of base64url", at: 5)
        ),
        (
            "raya@\(String(repeating: "A", count: 42))B",
            .malformed("a publisher's key has 43 characters of base64url", at: 5)
        ),
        (
            "raya@\u{301}\(String(repeating: "A", count: 43))",
            .malformed("a publisher's key has 43 characters of base64url", at: 5)
        ),
    ])
    func `a text that is no name is refused with its place (DIR-1, DIR-2)`(text: String, error: DiscoveryError) {
        #expect(throws: error) { try DirectoryQuery(text) }
    }

    @Test func `capitals are folded and white space around a text is left out`() throws {
        #expect(try DirectoryQuery(" Raya.B-1_x\n").text == "raya.b-1_x")
        #expect(try DirectoryName("RAYA").address == DirectoryName("raya").address)
    }

    @Test func `200,000 hostile inputs are refused or are entries`() throws {
        // Decoding alone: a signature is verified last and takes a thousand times as long.
        let valid = try [place.entry(1), place.entry(2, [bundle(1), bundle(2, expiry: Timestamp(milliseconds: 5))])]
        var counts: [String: Int] = [:]
        var inputs = HostileInputs(seed: 31, valid: valid.map(\.array), longest: 32)
        inputs.forEach { bytes in
            do throws(DirectoryRejection) {
                let read = try SignedDirectoryEntry(Bytes(bytes))
                counts["read", default: 0] += 1
                if read.entry.bundles.count > 32 || read.entry.name.utf8.count > 64 { Issue.record("\(bytes.hex)") }
            } catch {
                counts[error.rawValue, default: 0] += 1
            }
        }
        print("directory: \(counts.sorted { $0.key < $1.key })")
        for kind in ["read", "malformed", "unsupported"] {
            #expect(counts[kind, default: 0] > HostileInputs.usualCount / 1_000, "\(kind)")
        }
    }
}

private func zeros(_ count: Int) -> String { String(repeating: "00", count: count) }
