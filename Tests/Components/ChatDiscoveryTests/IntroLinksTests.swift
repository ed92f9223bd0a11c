import ChatCodec
import ChatCrypto
import ChatDiscovery
import ChatModel
import LogosFormats
import TestSupport
import Testing

/// The published link of Raya: RFC 7748's second key, an ephemeral key of 33×32, Z of 00 to 3f.
private let link =
    "logos_chatintro_1_CiDentt9e33BtNNbYcLs5DU3P4NDyFt4Z02t_H4Ub4grTxIgew1H2TQn-DERYHgcfHM_2J-IlwrvSQ2KoO4ZpMuKGxQaQEXjqAWo"
    + "_Tt-A0Dmtg4-RFqW_kjCKYJjwFRaEBJE-CkINUExXvYkfq35xXNqW2ccMuwdGivBgRn_QQ_8XTVNpgc"

@Suite struct IntroLinksTests {
    private let links = IntroLinks()

    @Test(.timeLimit(.minutes(30)))
    func `a link of chatintro_1 is read and written the same (INTRO-01, INTRO-04)`() async throws {
        let found = try #require(try await links.first(link))
        let bundle = try #require(found.first?.bundles.first)
        #expect(found.count == 1 && found[0].bundles.count == 1 && found[0].name.isEmpty && found[0].publisher == nil)
        #expect(bundle.scheme == "chatintro_1" && bundle.isSingleUse && bundle.expiry == nil)
        let intro = try IntroBundle(decoding: bundle.bytes)
        #expect(intro.ephemeral.description == "7b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14")
        #expect(try await links.publish([bundle], as: "raya") == [link])
        #expect(link.count == 197)
    }

    @Test func `the worked example of the specification is this link`() throws {
        let example = try blocks(of: "intro-links.md").first { $0.contains("logos_chatintro_1_") }
        #expect(try #require(example).filter { !$0.isWhitespace } == link)
    }

    @Test(.timeLimit(.minutes(30))) func `a link is one answer, and then the search ends`() async throws {
        var answers = try await links.find(link).makeAsyncIterator()
        #expect(try await answers.next() != nil)
        #expect(try await answers.next() == nil)
    }

    @Test(.timeLimit(.minutes(30))) func `other schemes are carried without being read (INTRO-06)`() async throws {
        let bundles = [
            IntroductionBundle(scheme: "openinvite_1", bytes: [0xFF, 0xFF, 0xFF]),
            IntroductionBundle(scheme: "chat-intro_0", bytes: [0]),
            IntroductionBundle(scheme: "x_4294967295", bytes: Bytes([UInt8](repeating: 7, count: 6_000))),
        ]
        let texts = try await links.publish(bundles, as: "raya")
        #expect(texts[0] == "logos_openinvite_1_____")
        for (text, bundle) in zip(texts, bundles) {
            #expect(try await links.first(text) == [Introduction(name: "", bundles: [bundle])])
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `white space around a link is left out, within it is refused (LINK-2)`() async throws {
        #expect(try await links.first(" \t\(link)\r\n") == links.first(link))
        let broken = link.prefix(100) + "\n" + link.dropFirst(100)
        #expect(
            await links.refusal(of: String(broken)) == .malformed("a link has printable ASCII characters only", at: 100)
        )
    }

    @Test(
        .timeLimit(.minutes(30)),
        arguments: [
            ("", DiscoveryError.malformed("a link begins with logos_", at: 0)),
            ("Logos_chatintro_1_AA", .malformed("a link begins with logos_", at: 0)),
            ("https://logos_chatintro_1_AA", .malformed("a link begins with logos_", at: 0)),
            ("logos_", .malformed("a link is logos_<namespace>_<version>_<payload>", at: 6)),
            ("logos_openinvite_1", .malformed("a link is logos_<namespace>_<version>_<payload>", at: 18)),
            ("logos__1_AA", .malformed("a namespace has 1 to 32 characters", at: 6)),
            ("logos_openinvite__AA", .malformed("a version is decimal, without leading zeros", at: 17)),
            ("logos_openinvite_01_AA", .malformed("a version is decimal, without leading zeros", at: 17)),
            ("logos_openinvite_1a_AA", .malformed("a version is decimal, without leading zeros", at: 17)),
            ("logos_openinvite_+1_AA", .malformed("a version is decimal, without leading zeros", at: 17)),
            ("logos_openinvite_12345678901_AA", .malformed("a version is decimal, without leading zeros", at: 17)),
            ("logos_openinvite_1_", .malformed("a payload of base64url", at: 19)),
            ("logos_openinvite_1_Raya é", .malformed("a link has printable ASCII characters only", at: 23)),
            ("logos_chatintro_2_AA", .unsupported("link version chatintro_2")),
            ("logos_chatintro_0_AA", .unsupported("link version chatintro_0")),
        ])
    func `text that is no link says where it breaks (INTRO-02, INTRO-03)`(text: String, error: DiscoveryError) async {
        #expect(await links.refusal(of: text) == error)
    }

    @Test(.timeLimit(.minutes(30)), arguments: ["A", "AA=", "A+BC", "AB", "A/BC", "AA.A"])
    func `a payload that is not base64url is refused`(payload: String) async {
        let error = await links.refusal(of: "logos_openinvite_1_\(payload)")
        guard case .malformed(let what, at: 19) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what.contains("base64url"))
    }

    @Test(.timeLimit(.minutes(30))) func `a link too long is refused with numbers`() async {
        let text = "logos_openinvite_1_" + String(repeating: "A", count: 8_192)
        #expect(await links.refusal(of: text) == .tooLarge("characters of a link", count: 8_211, limit: 8_192))
    }

    @Test(.timeLimit(.minutes(30)))
    func `keys and signature have their sizes, and the signature verifies (INTRO-07)`() async throws {
        let good = try #require(try await links.first(link)?.first?.bundles.first?.bytes.array)
        // Where each field's length stands: 0a 20 …, 12 20 …, 1a 40 ….
        for (offset, delta) in [(1, -1), (35, -1), (69, -1)] {
            var bytes = good
            bytes[offset] = UInt8(Int(bytes[offset]) + delta)
            bytes.remove(at: offset + 1)
            guard case .malformed(let what, at: 18) = await refusal(of: bytes) else {
                Issue.record("size at \(offset)")
                continue
            }
            #expect(what.contains("bytes, not"))
        }
        for bit in stride(from: 0, to: good.count * 8, by: 13) {
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(await refusal(of: bytes) != nil, "bit \(bit)")
        }
        var other = good
        other.replaceSubrange(2..<34, with: other[36..<68])
        #expect(await refusal(of: other) == .forged("link chatintro_1"))
    }

    @Test(.timeLimit(.minutes(30)))
    func `an installation key that is no point of the curve is forged, not a crash`() async throws {
        let good = try #require(try await links.first(link)?.first?.bundles.first?.bytes.array)
        for key in [
            [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xFF, count: 32),
            [1] + [UInt8](repeating: 0, count: 31),
        ] {
            #expect(await refusal(of: good[..<2] + key + good[34...]) == .forged("link chatintro_1"))
        }
    }

    @Test(.timeLimit(.minutes(30))) func `nobody hands out a link that others refuse`() async {
        let bad = [
            IntroductionBundle(scheme: "chatintro_1", bytes: [1, 2, 3]),
            IntroductionBundle(scheme: "two words_1", bytes: [1]),
            IntroductionBundle(scheme: "noversion", bytes: [1]), IntroductionBundle(scheme: "", bytes: [1]),
            IntroductionBundle(scheme: "openinvite_1", bytes: []),
            IntroductionBundle(scheme: "openinvite_1", bytes: Bytes([UInt8](repeating: 1, count: 8_000))),
        ]
        for bundle in bad {
            await #expect(throws: DiscoveryError.self) { try await links.publish([bundle], as: "raya") }
        }
    }

    @Test func `200,000 hostile texts are refused or are links`() throws {
        // One in 32 is a link whose signature is verified, which takes a thousand times as long as reading it.
        let valid = [link] + (0..<31).map { "logos_x\($0)_\($0)_" + String(repeating: "_A", count: $0 % 4 + 1) }
        var (parsed, kinds) = (0, Set<String>())
        var inputs = HostileInputs(seed: 21, valid: valid.map { Array($0.utf8) }, longest: 24)
        inputs.forEach { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            do throws(DiscoveryError) {
                _ = try IntroLink(text)
                parsed += 1
            } catch {
                kinds.insert(String(describing: error).prefix(12).description)
            }
        }
        print("links: \(parsed) parsed, \(kinds.count) kinds of refusal")
        #expect(parsed > HostileInputs.usualCount / 200 && kinds.count > 4)
    }

    @Test(.timeLimit(.minutes(30))) func `the vectors of intro bundles are read as they demand`() async throws {
        guard let file = try Vectors.load("logos/intro_bundle.json") else { return }
        let cases = try file.list("cases").filter { try $0.text("operation") == "parse" }
        for vector in cases {
            let text =
                vector.has("text")
                ? try vector.text("text") : String(decoding: try vector.bytes("text_hex"), as: UTF8.self)
            let expected = try vector.text("result")
            let bundle = try? await links.first(text)?.first?.bundles.first
            switch expected {
            case "valid":
                let intro = try IntroBundle(decoding: try #require(bundle, "\(vector)").bytes)
                #expect(intro.installation.bytes == (try vector.bytes("installation_key")), "\(vector)")
                #expect(intro.ephemeral.bytes == (try vector.bytes("ephemeral_key")), "\(vector)")
                #expect(intro.signature == (try vector.bytes("signature")), "\(vector)")
            case "policy": break
            default: #expect(bundle == nil, "\(vector)")
            }
        }
        print("vectors: logos/intro_bundle.json: \(cases.count) parse cases")
        #expect(!cases.isEmpty)
    }

    private func refusal(of bytes: [UInt8]) async -> DiscoveryError? {
        await links.refusal(of: "logos_chatintro_1_\(Base64URL.encode(bytes))")
    }
}
