import ChatCodec
import ChatEngine
import ChatModel

/// Cases of Chat Engine that this package makes, for other implementations: values of every type as they are written,
/// the same with a mistake in them, streams of backends, and trees.
public enum EngineCases {
    /// The text of a file, the same always: one line for each case.
    public static func text() throws -> String {
        var maker = EngineMaker(random: RepeatableRandom(seed: 12))
        let cases = try maker.values() + maker.bodies() + maker.streams() + maker.trees()
        return "[\n\(cases.map(\.description).joined(separator: ",\n"))\n]\n"
    }
}

/// Draws values.
struct EngineMaker {
    var random: RepeatableRandom
    private var count = 0

    init(random: RepeatableRandom) {
        self.random = random
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    mutating func maybe<Value>(_ value: Value) -> Value? { below(2) == 0 ? nil : value }

    mutating func one<Value>(of list: [Value]) -> Value { list[below(list.count)] }

    mutating func several<Value>(_ most: Int, _ body: (inout Self) -> Value) -> [Value] {
        (0..<below(most + 1)).map { _ in body(&self) }
    }

    mutating func words() -> String {
        let words = [
            "Quote A", "grün", "\u{1f99c}", "\"", "\\", "\n", "\u{0}", "e\u{301}", "</script>", "a  b", "\u{2028}",
        ]
        return one(of: words) + one(of: words)
    }

    private mutating func source<Value>(_ body: (inout any RandomSource) -> Value) -> Value {
        var source: any RandomSource = random
        defer { if let after = source as? RepeatableRandom { random = after } }
        return body(&source)
    }

    mutating func uuid() -> UUIDText { source { UUIDText(random: &$0) } }
    mutating func message() -> MessageID { source { MessageID(random: &$0) } }
    mutating func session() -> SessionID { source { SessionID(random: &$0) } }

    mutating func time() -> DateTime {
        DateTime(Timestamp(milliseconds: UInt64.random(in: 0...4_102_444_800_000, using: &random)))
    }

    mutating func type() -> SessionTypeID {
        let names = ["ai_assistant.v1~", "x9_.v10.2~", "_.v0~"]
        let id = SessionTypeID("gts.hyperspot.chat_engine.session_types." + one(of: names))
        guard let id else { preconditionFailure("a name in this file is none") }
        return id
    }

    mutating func capability() -> EngineCapability {
        EngineCapability(id: words(), name: words(), isDefault: below(2) == 0)
    }

    mutating func part() -> ContentPart {
        let seconds: [JSON] = [0, 1, 0.5, 1e300]
        switch below(6) {
        case 0: return .text(words())
        case 1: return .code(words(), language: maybe("swift"))
        case 2: return .image(uuid(), mimeType: maybe("image/png"))
        case 3: return .audio(uuid(), mimeType: maybe("audio/ogg"), seconds: maybe(one(of: seconds)))
        case 4: return .video(uuid(), mimeType: maybe("video/mp4"), seconds: maybe(one(of: seconds)))
        default: return .document(uuid(), mimeType: maybe("text/plain"), filename: maybe("a.txt"))
        }
    }

    mutating func metadata() -> Metadata {
        var metadata = Metadata()
        if below(2) == 0 { metadata.set("model", .string(words())) }
        if below(2) == 0 {
            metadata.set("usage", ["input_tokens": 41, "output_tokens": 6, "total_tokens": 47])
        }
        return metadata
    }

    mutating func stored() -> Message {
        Message(
            id: message(), session: session(), parent: maybe(message()),
            role: one(of: MessageRole.allCases), content: [part()] + several(2) { $0.part() },
            files: maybe([uuid()]), variant: maybe(VariantInfo(index: below(3), total: 3)),
            metadata: maybe(metadata()), createdAt: time())
    }

    mutating func id(_ rule: String) -> JSON {
        count += 1
        return .string("\(rule)-made-\(count)")
    }
}
