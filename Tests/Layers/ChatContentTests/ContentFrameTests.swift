import ChatCodec
import ChatContent
import ChatModel
import TestSupport
import Testing

@Test(arguments: [
    "", "080010051a0178", "08011a0178", "10051a0178", "08011000", "0801", "0a01781005", "0801100500", "08011005ff",
    "080110051a02ff",
])
func `what has no domain, no tag, or does not decode is invalid (CF-03, CF-04, CF-05)`(hex: String) {
    #expect(throws: WireError.self) { try ContentFrame(decoding: Bytes([UInt8](hex: hex))) }
    #expect(throws: WireError.self) { try ContentRegistry.everyday.decode(Bytes([UInt8](hex: hex))) }
}

@Test func `a frame is made with positive numbers only (CF-03, CF-04)`() {
    #expect(ContentFrame(domain: 0, tag: 1, payload: [1]) == nil)
    #expect(ContentFrame(domain: 1, tag: 0, payload: [1]) == nil)
    #expect(ContentFrame(domain: 1, tag: 1, payload: []) != nil)
}

@Test func `the example of the specification has these bytes`() throws {
    // Specs/content-frames.md
    let content = ContentRegistry.encode(TextContent("hello"), headRoom: 7)
    #expect(content.array.hex == "08f4c2a19b0610011a070a0568656c6c6f")
    guard case .known(let value) = try ContentRegistry.everyday.decode(content) else {
        Issue.record("not known")
        return
    }
    #expect(value as? TextContent == TextContent("hello"))
}

@Test func `everyday types come back as they were`() throws {
    func same<Value: ContentFormat>(_ value: Value) throws {
        guard case .known(let found) = try ContentRegistry.everyday.decode(ContentRegistry.encode(value)) else {
            Issue.record("\(Value.self) is not known")
            return
        }
        #expect(found as? Value == value)
    }
    try same(TextContent(""))
    try same(TextContent("日本語 🙂\u{0}"))
    try same(FileContent(name: "", bytes: []))
    try same(FileContent(name: "a.png", mediaType: "image/png", bytes: [0, 1, 2, 255]))
    try same(ContactContent(name: "Pax", introduction: "logos_chatintro_1_abc"))
}

@Test func `a type that is not known is unsupported, with the domain's address, and no error (CF-08)`() throws {
    let cases: [(UInt32, UInt32, String?)] = [
        (1, 7, "https://github.com/logos-co/logos-lips"), (ContentDomain.everyday.id, 99, ContentDomain.everyday.url),
        (77, 1, nil), (.max, .max, nil), (5, 5, "https://example.org/types"),
    ]
    let registry = ContentRegistry([TextContent.self], domains: [.init(id: 5, url: "https://example.org/types")])
    for (domain, tag, address) in cases {
        let frame = try #require(ContentFrame(domain: domain, tag: tag, payload: [1, 2]))
        guard case .unsupported(frame, address) = try registry.decode(frame.encoded()) else {
            Issue.record("\(domain)/\(tag) is not unsupported")
            continue
        }
    }
    // A type of this package that the application left out.
    guard case .unsupported = try registry.decode(ContentRegistry.encode(ContactContent(name: "", introduction: "")))
    else {
        Issue.record("known")
        return
    }
}

/// A type from outside this package.
private struct Greeting: ContentFormat {
    static let domain = ContentDomain(id: 12, url: "https://example.org/greetings")
    static let tag: UInt32 = 3
    var payload: Bytes { [] }

    init() {}
    init(payload: Bytes) throws(WireError) {
        guard payload.isEmpty else { throw .tooLong("greeting", bytes: payload.count, limit: 0) }
    }
}

@Test func `a type from outside stands like those from here (CF-01, CF-06)`() throws {
    let registry = ContentRegistry([Greeting.self, TextContent.self])
    guard case .known(let value) = try registry.decode(ContentRegistry.encode(Greeting())) else {
        Issue.record("not known")
        return
    }
    #expect(value is Greeting)
    #expect(registry[domain: 12]?.url == "https://example.org/greetings" && registry[domain: 1] == .logos)
    let bad = try #require(ContentFrame(domain: 12, tag: 3, payload: [1]))
    #expect(throws: WireError.self) { try registry.decode(bad.encoded()) }
}

@Test func `texts beyond their limits are refused`() {
    let long = String(repeating: "x", count: 256)
    for value in [FileContent(name: long, bytes: []), FileContent(name: "", mediaType: long, bytes: [])] {
        #expect(throws: WireError.self) { try ContentRegistry.everyday.decode(ContentRegistry.encode(value)) }
    }
    let contact = ContactContent(name: "", introduction: String(repeating: "x", count: 4_097))
    #expect(throws: WireError.self) { try ContentRegistry.everyday.decode(ContentRegistry.encode(contact)) }
}

@Test func `200,000 hostile inputs are decoded or refused`() {
    let valid = [
        ContentRegistry.encode(TextContent("hello 🙂")),
        ContentRegistry.encode(FileContent(name: "a", mediaType: "b", bytes: [1, 2, 3])),
        ContentRegistry.encode(ContactContent(name: "Pax", introduction: "x")),
    ]
    var hostile = HostileInputs(seed: 45, valid: valid.map(\.array))
    var known = 0
    hostile.forEach { input in
        if case .known = try? ContentRegistry.everyday.decode(Bytes(input)) { known += 1 }
    }
    #expect(known > HostileInputs.usualCount / 200)
}

@Test func `content frames are those of the vectors (CF-03 … CF-05)`() throws {
    try Vectors.run("logos/content_frame.json", only: { try $0.text("message") == "ContentFrame" }) { one in
        let bytes = Bytes(try one.bytes("bytes"))
        switch try one.text("result") {
        case "valid":
            let frame = try ContentFrame(decoding: bytes)
            let fields = try one.at("fields")
            #expect(try Int(frame.domain) == fields.number("domain_id"), "\(one)")
            #expect(try Int(frame.tag) == fields.number("tag"), "\(one)")
            #expect(try frame.payload.array == fields.optionalBytes("payload") ?? [], "\(one)")
            if try one.text("operation") == "roundtrip" { #expect(frame.encoded() == bytes, "\(one)") }
        case "policy": _ = try? ContentFrame(decoding: bytes)
        default: #expect(throws: WireError.self, "\(one)") { try ContentFrame(decoding: bytes) }
        }
    }
}
