import ChatCodec
import ChatModel
import PacketStream

/// Vector files of streaming packets, format `streaming-abi-vectors/1`: the protobuf layer, packets in both modes,
/// encoding, the machines of delivery, and what a widely used SDK emits. What the files mean,
/// `Specs/packet-stream.md` says.
enum PacketVectors {
    /// What every file says under `schema`.
    static let format = "streaming-abi-vectors/1"

    private static let kinds: [String: @Sendable (PacketCase) throws -> Void] = [
        "wire": wire, "packets": packet, "encode": encode, "trace": trace, "sdk": sdk,
    ]

    /// Every case of a file; whatever one case does, the next one is checked.
    static func verify(_ document: JSON, file: String) -> [Verdict] {
        func whole(_ outcome: Verdict.Outcome, _ reason: String) -> [Verdict] {
            [Verdict(outcome: outcome, file: file, name: "file", reason: reason)]
        }
        guard let name = document["kind"]?.text else { return whole(.failed, "has no kind") }
        guard let cases = document["cases"]?.list else { return whole(.failed, "has no list of cases") }
        guard !cases.isEmpty else { return whole(.failed, "has no cases") }
        return cases.enumerated().map { number, json in
            let (outcome, reason) = check(PacketCase(json: json), name)
            return Verdict(outcome: outcome, file: file, name: json["id"]?.text ?? String(number), reason: reason)
        }
    }

    private static func check(_ one: PacketCase, _ kind: String) -> (Verdict.Outcome, String) {
        guard let body = kinds[kind] else { return (.notApplicable, "kind \(kind)") }
        guard one.json.members != nil else { return (.failed, "a case is an object") }
        do {
            try body(one)
            return (.passed, "")
        } catch Problem.notApplicable(let reason) {
            return (.notApplicable, reason)
        } catch {
            return (.failed, "\(error)")
        }
    }
}

/// A case, with readers that say what is missing.
struct PacketCase {
    let json: JSON

    func value(_ key: String) throws -> JSON {
        guard let value = json[key] else { throw Problem.unreadable("there is no \(key)") }
        return value
    }

    func text(_ key: String) throws -> String {
        guard let text = try value(key).text else { throw Problem.unreadable("\(key) is not a text") }
        return text
    }

    func list(_ key: String) throws -> [JSON] {
        guard let list = try value(key).list else { throw Problem.unreadable("\(key) is not a list") }
        return list
    }

    func int(_ key: String) throws -> Int {
        guard let number = try value(key).int else { throw Problem.unreadable("\(key) is not a number") }
        return number
    }

    /// The message's bytes: `hex`, or `hex_parts` with how often each comes.
    func bytes() throws -> Bytes {
        if json["hex"] != nil { return Bytes(try Case.bytes(text("hex"), "hex")) }
        var bytes: [UInt8] = []
        for part in try list("hex_parts") {
            guard let hex = part.list?.first?.text, let count = part.list?.last?.int, (0...1 << 26).contains(count)
            else { throw Problem.unreadable("a part of hex_parts is no hex with a count") }
            let piece = try Case.bytes(hex, "hex_parts")
            guard bytes.count + count * piece.count <= Verifier.maximumFile else {
                throw Problem.unreadable("hex_parts has too many bytes")
            }
            for _ in 0..<count { bytes += piece }
        }
        return Bytes(bytes)
    }

    /// The message that carries the packet.
    func message() throws -> PacketMessage {
        let name = try text("message")
        guard let message = PacketMessage(rawValue: name) else { throw Problem.notApplicable("message \(name)") }
        return message
    }

    /// Throws unless what was done is what the file says: `valid`, or one of the rules broken.
    static func expect(_ expected: JSON, _ what: String, _ violation: PacketViolation?) throws {
        guard let rules = expected.list else {
            guard let violation else { return }
            throw Problem.differs("\(what) is refused (\(violation)), the file takes it")
        }
        let names = rules.map { $0.text ?? "" }
        guard let violation else { throw Problem.differs("\(what) is taken, the file refuses it (\(names))") }
        guard names.contains(violation.rule.rawValue) else {
            throw Problem.differs("\(what) is refused by \(violation), in the file by \(names)")
        }
    }

    /// Throws unless two values mean the same.
    static func expect(_ what: String, _ actual: JSON, _ expected: JSON) throws {
        guard !actual.isSameValue(as: expected) else { return }
        throw Problem.differs(
            "\(what) is \(actual.description.prefix(300)), in the file \(expected.description.prefix(300))")
    }

    /// What a body refuses.
    static func violation(of body: () throws -> Void) throws -> PacketViolation? {
        do {
            try body()
            return nil
        } catch let violation as PacketViolation { return violation }
    }
}
