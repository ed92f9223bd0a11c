import ChatCodec
import ChatInspect
import ChatModel
import Foundation
import TestSupport
import Testing

@Test func `the examples of the document print as it shows them`() throws {
    let examples = try Specification.blocks(of: "inspect.md").filter { $0.contains("$ chat-inspect ") }
    #expect(examples.count >= 3)
    for block in examples {
        let lines = block.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(lines.firstIndex { $0.hasPrefix("$ chat-inspect ") })
        var words = lines[start].dropFirst("$ chat-inspect ".count).split(separator: " ").map(String.init)
        var (keys, kind) = (Keys(), nil as Kind?)
        while let place = words.firstIndex(where: { $0.hasPrefix("--") }) {
            let value = words.remove(at: place + 1)
            switch words.remove(at: place) {
            case "--id": keys.routes.append(value)
            case "--identity": keys.identity = Secret(copying: [UInt8](hex: value).span)
            case "--ephemeral": keys.ephemerals.append(Secret(copying: [UInt8](hex: value).span))
            case "--as": kind = Kind(rawValue: value)
            case let option: Issue.record("an example with \(option)")
            }
        }
        let findings = Inspector(keys).inspect(Input(Array(words.joined(separator: " ").utf8)), as: kind)
        let expected = lines[(start + 1)...].joined(separator: "\n").trimmingCharacters(in: .newlines)
        #expect(findings.text() == expected)
    }
}

/// The documents' own examples, each as what it is.
private let examples: [(document: String, bytes: Int, kind: Kind)] = [
    ("envelope-v1.md", 75, .envelope), ("envelope-v1.md", 16, .envelope), ("plain-framing.md", 18, .plain),
    ("wire.md", 69 + 2, .payload), ("segmentation.md", 43, .segment), ("sds.md", 31, .sds),
    ("content-frames.md", 17, .content), ("directory.md", 154, .directory), ("private-v1.md", 60, .libchatFrame),
    ("private-v1.md", 126, .payload), ("plain-conversation.md", 15, .plainFrame),
]

@Test(arguments: examples) func `an example of a document is found out without being told`(
    document: String, bytes: Int, kind: Kind
) throws {
    let example: [UInt8]
    if document == "wire.md" {
        example =
            [0x12, 0x45, 0x0a, 0x20] + [UInt8](repeating: 0x11, count: 32) + [0x10, 0xac, 0x02, 0x18, 0x02]
            + [0x22, 0x1c] + [UInt8](repeating: 0x22, count: 28)
    } else {
        example = try #require(try Specification.examples(of: document).first { $0.count == bytes })
    }
    for text in [example.hex, Data(example).base64EncodedString(), Base64URL.encode(example)] {
        let findings = Inspector().inspect(Input(Array(text.utf8)))
        #expect(findings.kind == kind)
        #expect(findings.isSound)
        #expect(findings.piece.count == example.count)
    }
    #expect(Inspector().inspect(Input(binary: Bytes(example))).kind == kind)
}

@Test(arguments: examples) func `a tree covers every byte, and so it does when the bytes are cut anywhere`(
    document: String, bytes: Int, kind: Kind
) throws {
    guard let example = try Specification.examples(of: document).first(where: { $0.count == bytes }) else { return }
    for count in 0...example.count {
        let piece = Inspector().inspect(Bytes(Array(example[..<count])), as: kind)
        var end = 0
        for part in piece.parts where part.offset != nil {
            #expect(part.offset == end, "\(kind) cut at \(count): \(part.name)")
            end += part.count
        }
        if piece.fault == nil { #expect(end == count, "\(kind) cut at \(count)") }
        if count < example.count, let fault = piece.faults.first { #expect(fault.offset <= count) }
    }
}

@Test func `what breaks is named with its byte, its requirement and the section of it`() throws {
    let example = try #require(try Specification.examples(of: "envelope-v1.md").first { $0.count == 75 })
    let cut = Inspector().inspect(Input(Array(Array(example[..<60]).hex.utf8)))
    let fault = try #require(cut.piece.faults.first)
    #expect(cut.kind == .envelope)
    #expect(fault.offset == 60)
    #expect(fault.reason == "conversation_hint ends 6 bytes too early: 58 are there")
    #expect(fault.requirement == "WIRE-2")
    #expect(fault.section.description == "wire.md, Messages: proto3")
    #expect(cut.text().hasSuffix("           violates WIRE-2 (wire.md, Messages: proto3)"))
    #expect(cut.json["fault"]?["offset"] == 60)
    #expect(cut.json["sound"] == false)
}

@Test(arguments: [
    (Kind.envelope, "0aff", "WIRE-2"), (.envelope, "0801", "WIRE-4"), (.envelope, "00", "WIRE-2"),
    (.envelope, "0a02c328", "WIRE-5"), (.payload, "", "WIRE-7"), (.bundle, "0a0100", "INTRO-07"),
    (.ratchet, "0a01aa", "DR-4"), (.segment, "1801", "SEG-07"), (.content, "1001", "CF-05"),
    (.sds, "1a0130", "SDS-R3"), (.openInvite, "0a0161", "OPEN-3"), (.plain, "02", "PLAINFRAMING-1"),
    (.plain, "010161000000026161616161", "PLAINFRAMING-3"), (.plainFrame, "0101", "PLAIN-2"),
    (.datagram, "0301", "UDP-2"), (.datagram, "0105000000000000000000000000000000000400", "UDP-7"),
    (.message, "03000000", "UDP-15"), (.handshake, "0a00", "INBOX-13"),
]) func `each defect violates the requirement that forbids it`(kind: Kind, hex: String, requirement: String) {
    let piece = Inspector().inspect(Bytes([UInt8](hex: hex)), as: kind)
    #expect(piece.faults.first?.requirement == requirement)
}

@Test(arguments: ["2200", "2324", "22020102"])
func `an arm of a later version is unsupported, and nothing is malformed (INSP-8, WIRE-7)`(hex: String) {
    let findings = Inspector().inspect(Input(binary: Bytes([UInt8](hex: hex))), as: .payload)
    #expect(!findings.isSound && findings.piece.faults.map(\.outcome) == [.unsupported])
    #expect(findings.text().contains("unsupported: at byte"))
    #expect(!findings.text().contains("malformed"))
    #expect(findings.json["fault"]?["outcome"] == "unsupported")
    #expect(Inspector().inspect(Bytes([]), as: .payload).faults.map(\.outcome) == [.invalid])
}

@Test func `a bundle is proven by its signature, and by nothing that differs from it in a bit (INTRO-07)`() throws {
    let block = try #require(try Specification.blocks(of: "intro-links.md").first)
    let link = block.filter { !$0.isWhitespace }
    let bytes = try Base64URL.decode(String(link.dropFirst("logos_chatintro_1_".count)))
    let proof = "the signature is by installation_pubkey"
    #expect(Inspector().inspect(Input(binary: Bytes(bytes)), as: .bundle).text().contains(proof))
    for index in bytes.indices.suffix(64) {
        var forged = bytes
        forged[index] ^= 1
        let findings = Inspector().inspect(Input(binary: Bytes(forged)), as: .bundle)
        #expect(!findings.isSound && findings.piece.faults.first?.requirement == "INTRO-07")
        #expect(!findings.text().contains(proof), "byte \(index)")
    }
}

@Test func `the older and the later form of a segment are named`() {
    let hash = "0a20" + String(repeating: "ab", count: 32)
    let older = Inspector().inspect(Bytes([UInt8](hex: hash + "2202616228003002")), as: .segment)
    #expect(older.faults.first?.requirement == "SEG-07")
    #expect(Findings(form: .hex, kind: .segment, piece: older).text().contains("the older form"))
    let later = Inspector().inspect(Bytes([UInt8](hex: hash + "1005180020013a026162")), as: .segment)
    #expect(later.faults.contains { $0.requirement == "SEG-R6" && $0.reason.contains("nim-segmentation") })
    let parity = Inspector().inspect(Bytes([UInt8](hex: hash + "180122026162300128003801")), as: .segment)
    #expect(parity.faults.isEmpty)
    #expect(Findings(form: .hex, kind: .segment, piece: parity).text().contains("parity segment 1 of 1"))
}

@Test func `nothing of an input reaches the terminal as more than text`() {
    let nasty = "\u{1B}[2J\u{202E}\u{9B}31m\n\u{7F}"
    let frame = [0x0a, UInt8(nasty.utf8.count)] + Array(nasty.utf8) + [0x2a, 0x01, 0x61]
    let text = Inspector().inspect(Input(binary: Bytes(frame))).text()
    #expect(text.contains("\\u{1b}[2J\\u{202e}\\u{9b}31m\\n\\u{7f}"))
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
}

@Test func `colour is for terminals, and changes nothing else`() {
    let findings = Inspector().inspect(Input(Array("0a07636f6e766f2d312a0568656c6c6f".utf8)))
    let coloured = findings.text(Findings.Style(hasColour: true))
    #expect(coloured.contains("\u{1B}[1m"))
    #expect(coloured.replacing(/\u{1B}\[\d+m/, with: "") == findings.text())
}

@Test func `a hint is compared with the ids that are given`() throws {
    let example = try #require(try Specification.examples(of: "envelope-v1.md").first { $0.count == 75 })
    let mine = Inspector(Keys(routes: ["convo-2", "convo-1"])).inspect(Input(binary: Bytes(example))).text()
    #expect(mine.contains("✓  for convo-1, under this salt"))
    let others = Inspector(Keys(routes: ["convo-2"])).inspect(Input(binary: Bytes(example))).text()
    #expect(others.contains("for none of the ids given"))
    // All 32 bytes count: the digits of a hint differ in one place.
    for index in 0..<64 {
        var almost = example
        almost[2 + index] = almost[2 + index] == 0x30 ? 0x31 : 0x30
        let text = Inspector(Keys(routes: ["convo-1"])).inspect(Input(binary: Bytes(almost))).text()
        #expect(text.contains("for none of the ids given"), "digit \(index)")
    }
}

@Test func `what announces more bytes than can be counted is broken, not fatal`() {
    let found: [UInt8] = [UInt8](hex: "0d0d0d0d0d0d120262311a01305081311affffffffffffffffff01305081d095ff0d")
    for kind in Kind.allCases { _ = Inspector().inspect(Bytes(found), as: kind) }
    #expect(!Inspector().inspect(Input(binary: Bytes(found))).isSound)
    let huge: [UInt8] = [0x0a] + [UInt8](repeating: 0xff, count: 9) + [0x01, 0x01]
    let faults = Inspector().inspect(Bytes(huge), as: .bundle).faults
    #expect(faults.first?.reason == "installation_pubkey has \(Int.max) bytes, not 32")
}

@Test func `a group is shown as what is skipped (WIRE-9)`() throws {
    let piece = Inspector().inspect([0x0a, 0x01, 0x78, 0x4b, 0x08, 0x01, 0x4c, 0x2a, 0x00], as: .envelope)
    let group = try #require(piece.parts.first { $0.name == "field 9" })
    #expect(group.isUnknown && group.offset == 3 && group.count == 4 && group.value == .bytes([0x08, 0x01]))
    #expect(Inspector().inspect([0x0b, 0x0c], as: .envelope).faults.first?.requirement == "WIRE-4")
}

@Test func `messages within messages cost no more than they have bytes, however deep`() {
    // As what it holds, each level could be one of several kinds: tried once each, not once more for every level above.
    var nested: [UInt8] = [0x0a, 0x01, 0x61]
    for level in 0..<40 where nested.count < 120 {
        nested = level % 2 == 0 ? [0x22, UInt8(nested.count)] + nested : [0xa2, 0x01, UInt8(nested.count)] + nested
    }
    let start = ContinuousClock.now
    for kind in Kind.allCases where kind != .link { _ = Inspector().inspect(Bytes(nested), as: kind) }
    // A few milliseconds; twice the work for every level were some seconds.
    #expect(ContinuousClock.now - start < .seconds(2))
    #expect(Inspector().inspect(Bytes(nested), as: .sds).parts.first?.name.hasPrefix("content") == true)
}
