import ChatCodec
import ChatContent
import ChatModel

// Kind `content`: content frames, and the everyday types in them.
extension Kind {
    static let content = Kind(
        name: "content", run: operations(["encode": encodeContent, "decode": decodeContent]), files: contentFiles)

    private static func encodeContent(_ one: Case) async throws -> JSON {
        let fields = try one.at("fields")
        func text(_ key: String) throws -> String { fields.has(key) ? try fields.text(key) : "" }
        let content =
            switch try one.text("type") {
            case "text": ContentRegistry.encode(TextContent(try text("text")))
            case "file":
                ContentRegistry.encode(
                    FileContent(
                        name: try text("name"), mediaType: try text("media_type"),
                        bytes: Bytes(try fields.optionalBytes("bytes") ?? [])))
            case "contact":
                ContentRegistry.encode(ContactContent(name: try text("name"), introduction: try text("introduction")))
            case let other: throw Problem.notApplicable("type \(other)")
            }
        let frame = try ContentFrame(decoding: content)
        return [
            "domain_id": JSON(UInt64(frame.domain)), "tag": JSON(UInt64(frame.tag)), "bytes": .hex(content),
        ]
    }

    private static func decodeContent(_ one: Case) async throws -> JSON {
        let bytes = Bytes(try one.bytes("bytes"))
        let frame = try ContentFrame(decoding: bytes)
        let head: JSON = ["domain_id": JSON(UInt64(frame.domain)), "tag": JSON(UInt64(frame.tag))]
        guard case .known(let value) = try ContentRegistry.everyday.decode(bytes) else {
            throw Refused("unsupported", "domain \(frame.domain), tag \(frame.tag)")
        }
        switch value {
        case let text as TextContent:
            return head.adding(["type": "text", "fields": ["text": .string(text.text)]])
        case let file as FileContent:
            return head.adding([
                "type": "file",
                "fields": [
                    "name": .string(file.name), "media_type": .string(file.mediaType), "bytes": .hex(file.bytes),
                ],
            ])
        case let contact as ContactContent:
            return head.adding([
                "type": "contact",
                "fields": ["name": .string(contact.name), "introduction": .string(contact.introduction)],
            ])
        default: throw Problem.notApplicable("another type")
        }
    }

    private static func contentFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        let values: [(String, String, String, JSON)] = [
            (
                "text", "hello in three scripts", "text",
                ["text": "hello, \u{43F}\u{440}\u{438}\u{432}\u{435}\u{442}, \u{1F642}"]
            ),
            ("text-empty", "an empty text", "text", ["text": ""]),
            (
                "file", "a file", "file",
                ["name": "notes.txt", "media_type": "text/plain", "bytes": maker.hex(40, "content/file")]
            ),
            (
                "contact", "somebody else's introduction", "contact",
                ["name": "Pax", "introduction": "logos_openinvite_1_AAECAw"]
            ),
        ]
        for (id, comment, type, fields) in values {
            let encode: JSON = ["operation": "encode", "type": .string(type), "fields": fields]
            let bytes = try await encodeContent(Case(json: encode))["bytes"] ?? .null
            cases += [
                draft("encode-\(id)", comment, encode),
                draft("decode-\(id)", "the same, read", ["operation": "decode", "bytes": bytes]),
            ]
        }
        func bad(_ id: String, _ comment: String, _ bytes: String, _ error: String) {
            cases.append(draft(id, comment, ["operation": "decode", "bytes": .string(bytes)], error: error))
        }
        bad("domain-zero", "a domain is positive (CF-03)", "10011a00", "malformed")
        bad("tag-zero", "a tag is positive (CF-04)", "0801", "malformed")
        bad("nothing", "no bytes at all", "", "malformed")
        bad("logos", "a type of the public registry that is not known here (CF-08)", "080110051a0178", "unsupported")
        bad("unknown-tag", "a tag of the everyday domain that is not known", "08f4c2a19b061063", "unsupported")
        bad("unknown-domain", "a domain that is not known", "08ffffffff0f1001", "unsupported")
        bad("not-utf8", "a text that is not UTF-8", "08f4c2a19b0610011a040a02c328", "malformed")
        bad("no-proto3", "a payload that is no message", "08f4c2a19b0610011a01ff", "malformed")
        bad(
            "long-name", "a name of 256 bytes", "08f4c2a19b0610031a83020a8002" + String(repeating: "78", count: 256),
            "too_large")
        return [VectorFile("content.json", kind: "content", profile: "all", cases: cases)]
    }
}
