import ChatCodec
import ChatCrypto
import ChatModel

/// A case of a file, or a step of one, with readers that say what is missing.
struct Case {
    /// What the file has.
    let json: JSON
    /// Whether the class of an error is part of what the file says.
    let isExact: Bool
    /// Which members somebody asked for; copies share it.
    let asked: Asked

    /// A case by its members.
    init(json: JSON, isExact: Bool = false) {
        self.init(json, isExact: isExact, Asked())
    }

    private init(_ json: JSON, isExact: Bool, _ asked: Asked) {
        (self.json, self.isExact, self.asked) = (json, isExact, asked)
    }

    /// The class of outcome that the file demands; `valid` if it says nothing.
    var result: String { json["result"]?.text ?? "valid" }

    /// What a step of a transcript is called, whose number this is.
    func place(_ number: Int) -> String {
        let words = [json["op"]?.text, json["by"]?.text.map { "by \($0)" }].compactMap(\.self).joined(separator: " ")
        return words.isEmpty ? "step \(number)" : "step \(number), \(words)"
    }

    /// The last step that somebody looked at; nil for a case without steps.
    var lastStep: String? {
        guard let steps = json["steps"]?.list,
            let last = steps.indices.last(where: { !asked.part("steps", $0).isEmpty })
        else { return nil }
        return Case(json: steps[last]).place(last)
    }

    /// Whether there is a value under a key, other than null.
    func has(_ key: String) -> Bool {
        asked.note(key)
        return json[key].map { $0 != .null } ?? false
    }

    /// The value under a key.
    func at(_ key: String) throws -> Case { Case(try value(key), isExact: isExact, asked.part(key, 0)) }

    /// A text.
    func text(_ key: String) throws -> String { try read(key, "a text") { $0.text } }

    /// Bytes from hex.
    func bytes(_ key: String) throws -> [UInt8] { try Self.bytes(try text(key), key) }

    /// Bytes from hex, or none where there is nothing under the key.
    func optionalBytes(_ key: String) throws -> [UInt8]? { has(key) ? try bytes(key) : nil }

    /// Secret bytes from hex, as many as a keyed hash takes.
    func secret(_ key: String) throws -> Secret {
        let bytes = try bytes(key)
        guard BLAKE2b.keySizes.contains(bytes.count) else {
            throw Problem.unreadable("\(key) has \(bytes.count) bytes, not \(BLAKE2b.keySizes)")
        }
        return Secret(copying: bytes.span)
    }

    /// An X25519 key pair from its private key.
    func keyPair(_ key: String) throws -> KeyPair { try X25519.keyPair(try secret(key)) }

    /// A number.
    func int(_ key: String) throws -> Int { try read(key, "a number") { $0.int } }

    /// A number of up to 64 bits.
    func uint64(_ key: String) throws -> UInt64 { try read(key, "a number that is not negative") { $0.uint64 } }

    /// A number of a narrower type.
    func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ key: String, _: Number.Type = Number.self
    ) throws -> Number {
        guard let number = Number(exactly: try uint64(key)) else {
            throw Problem.unreadable("\(key) is more than \(Number.max)")
        }
        return number
    }

    /// A truth value.
    func bool(_ key: String) throws -> Bool { try read(key, "true or false") { $0.bool } }

    /// The elements of a list.
    func list(_ key: String) throws -> [Case] {
        try read(key, "a list") { $0.list }.enumerated().map { Case($1, isExact: isExact, asked.part(key, $0)) }
    }

    /// A list of texts.
    func texts(_ key: String) throws -> [String] {
        try list(key).map { one in
            guard let text = one.json.text else { throw Problem.unreadable("\(key) has an element that is no text") }
            return text
        }
    }

    /// A list of numbers.
    func ints(_ key: String) throws -> [Int] {
        try list(key).map { one in
            guard let number = one.json.int else { throw Problem.unreadable("\(key) has an element that is no number") }
            return number
        }
    }

    /// A list of byte strings.
    func byteLists(_ key: String) throws -> [[UInt8]] { try texts(key).map { try Self.bytes($0, key) } }

    /// A text of hex as bytes.
    static func bytes(_ text: String, _ key: String) throws -> [UInt8] {
        guard let bytes = try? Hex.decode(text) else { throw Problem.unreadable("\(key) is no hex") }
        return bytes
    }

    private func value(_ key: String) throws -> JSON {
        guard has(key), let value = json[key] else { throw Problem.unreadable("there is no \(key)") }
        return value
    }

    private func read<Value>(_ key: String, _ what: String, _ reader: (JSON) -> Value?) throws -> Value {
        let found = try value(key)
        guard let value = reader(found) else { throw Problem.unreadable("\(key) is not \(what)") }
        return value
    }
}

/// Which members of a case an operation asked for, so that one that nobody looks at is noticed.
final class Asked: Sendable {
    private struct Part: Hashable {
        let key: String
        let place: Int
    }

    private let keys = Lock<Set<String>>([])
    private let parts = Lock<[Part: Asked]>([:])

    /// Somebody asks for a member.
    func note(_ key: String) { keys.withLock { _ = $0.insert(key) } }

    /// Whether somebody asked for a member.
    func has(_ key: String) -> Bool { keys.withLock { $0.contains(key) } }

    /// Whether nobody asked for any member: then what there is was taken as a whole.
    var isEmpty: Bool { keys.withLock { $0.isEmpty } }

    /// What was asked for in a member, or in one element of it.
    func part(_ key: String, _ place: Int) -> Asked {
        parts.withLock { parts in
            let part = Part(key: key, place: place)
            if let known = parts[part] { return known }
            let fresh = Asked()
            parts[part] = fresh
            return fresh
        }
    }
}

extension JSON {
    /// Bytes as a file has them.
    static func hex(_ bytes: [UInt8]) -> JSON { .string(Hex.encode(bytes)) }

    /// Bytes as a file has them.
    static func hex(_ bytes: Bytes) -> JSON { .hex(bytes.array) }

    /// Secret bytes as a file has them: nothing in a vector is secret.
    static func hex(_ secret: Secret) -> JSON { .hex(secret.lend { Bytes(copying: $0) }) }

    /// A list of texts.
    static func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }

    /// A list of byte strings.
    static func hexes(_ list: [Bytes]) -> JSON { .array(list.map { .hex($0) }) }

    /// The members of several objects; of a repeated key the last value counts.
    func adding(_ other: JSON) -> JSON {
        guard case .object(var object) = self else { return other }
        for member in other.members ?? [] { object[member.key] = member.value }
        return .object(object)
    }

    /// Without some keys.
    func without(_ keys: String...) -> JSON {
        guard case .object(var object) = self else { return self }
        for key in keys { object[key] = nil }
        return .object(object)
    }
}
