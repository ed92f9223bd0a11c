import ChatCodec
import ChatContent
import ChatConversation
import ChatDeliveryService
import ChatDiscovery
import ChatInitialization
import ChatInspect
import ChatModel
import ChatReliability
import Foundation
import LogosFormats
import TestSupport
import Testing

/// Whether the decoder that the components use takes the bytes; nil where there is none that says so alone.
private func isTaken(_ bytes: Bytes, as kind: Kind) -> Bool? {
    do {
        switch kind {
        case .bundle: _ = try IntroBundle(decoding: bytes)
        case .openBundle: _ = try OpenBundle(decoding: bytes)
        case .openInvite: _ = try OpenFrame(decoding: bytes)
        case .payload: _ = try EncryptedPayload(decoding: bytes)
        case .handshake: _ = try InboxHandshakeV1(decoding: bytes)
        case .ratchet: _ = try DoubleRatchetMessage(decoding: bytes)
        case .inboxFrame: _ = try InboxFrame.decode(bytes)
        case .sds: _ = try SDSMessage(decoding: bytes)
        case .segment: _ = try SegmentMessage(decoding: bytes)
        case .content: _ = try ContentRegistry.everyday.decode(bytes)
        case .directory: try SignedDirectoryEntry(bytes).verify()
        case .datagram: _ = try Datagram(bytes.span)
        case .message:
            guard let code = bytes.array.first else { return false }
            if code < 0x80 { _ = try Request(bytes) } else { _ = try Answer(bytes) }
        default: return nil
        }
        return true
    } catch {
        return false
    }
}

/// Something of every kind to begin from.
private let seeds: [[UInt8]] = {
    let documents = [
        "envelope-v1.md", "plain-framing.md", "segmentation.md", "sds.md", "content-frames.md", "directory.md",
        "private-v1.md", "plain-conversation.md", "open-invite.md", "rpi-v1.md",
    ]
    return documents.flatMap { (try? Specification.examples(of: $0)) ?? [] }.filter { $0.count < 200 } + [
        [UInt8](hex: "01051e61397408ab415e0000000000000000020000000001000000000000000000000000000000000300"),
        [UInt8](hex: "0100000000000000010000000000000002" + "0468616c6c00cafe"),
        [UInt8](hex: "8100000000000000000000000000000000010000000000000000"),
    ]
}()

@Test(arguments: Kind.allCases) func `what a decoder refuses has a fault, whatever the bytes are`(kind: Kind) {
    var inputs = HostileInputs(seed: 77, valid: seeds)
    var counts = (sound: 0, broken: 0)
    inputs.forEach(HostileInputs.usualCount / Kind.allCases.count) { input in
        let bytes = Bytes(input)
        let isSound = Inspector().inspect(bytes, as: kind).faults.isEmpty
        if isSound { counts.sound += 1 } else { counts.broken += 1 }
        if let isTaken = isTaken(bytes, as: kind), isSound, !isTaken {
            Issue.record("\(kind): no fault in \(input.hex), which is refused")
        }
    }
    #expect(counts.broken > HostileInputs.usualCount / 2_000)
}

@Test func `whatever comes, it is found out or not, and printed`() {
    var inputs = HostileInputs(seed: 78, valid: seeds)
    inputs.forEach(Seeds.isQuick ? 300 : 3_000) { input in
        for input in [Input(input), Input(binary: Bytes(input))] {
            let findings = Inspector().inspect(input)
            #expect(!findings.text().isEmpty)
            #expect(findings.isSound == (findings.json["sound"] == true))
        }
    }
}

@Test func `sections and requirements that are named can be looked up`() throws {
    let specs = Vectors.packageRoot.appendingPathComponent("Specs")
    let names = try FileManager.default.contentsOfDirectory(atPath: specs.path).filter { $0.hasSuffix(".md") }
    let texts = try Dictionary(
        uniqueKeysWithValues: names.map {
            ($0, try String(contentsOf: specs.appendingPathComponent($0), encoding: .utf8))
        })
    let everything = texts.filter { $0.key != "inspect.md" }.values.joined()
    let sources = Vectors.packageRoot.appendingPathComponent("Sources/Proof/ChatInspect")
    var requirements: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
        let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
        for match in text.matches(of: /"([A-Z][A-Z0-9]+-R?[0-9]+)"/) { requirements.insert(String(match.1)) }
        for match in text.matches(of: /Section\(\s*"([a-z0-9-]+\.md)", "([^"]+)"\)/) {
            let document = try #require(texts[String(match.1)], "\(match.1)")
            let heading = "# \(match.2)\n"
            #expect(document.contains(heading) || document.contains("# \(match.2) ("), "\(match.1), \(match.2)")
        }
    }
    #expect(requirements.count > 40)
    for requirement in requirements.sorted() { #expect(everything.contains(requirement), "\(requirement)") }
}

@Test func `every case of the public vectors that is good is well-formed`() throws {
    let folder = Vectors.directory.appendingPathComponent("logos")
    let files =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.filter { $0.hasSuffix(".json") } ?? []
    if files.isEmpty { print("vectors: no logos/*.json in \(Vectors.directory.path); skipped") }
    for name in files.sorted() {
        let data = try Data(contentsOf: folder.appendingPathComponent(name))
        let file = try #require(VectorFile(try JSON(parsing: [UInt8](data), maximumBytes: VectorFile.maximumBytes)))
        print(
            "vectors: logos/\(name): \(file.cases.count) cases, \(file.cases.reduce(0) { $0 + $1.items.count }) inspected"
        )
        #expect(file.mismatches().isEmpty, "\(name)")
    }
}
