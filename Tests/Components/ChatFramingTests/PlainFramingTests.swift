import ChatFraming
import ChatModel
import Foundation
import TestSupport
import Testing

@Suite struct PlainFramingTests {
    private let client = PlainFraming().listening([Listening("a", Route("convo-1"))], for: raya)

    @Test func `the example of the specification has these bytes`() throws {
        let addressed = try client.wrapped(Routed("a", Route("convo-1"), payload: Bytes("hello")), in: turn())
        let example = example(try blocks(of: "plain-framing.md")[0])
        #expect(example.count == 18)
        #expect(addressed.payload.array == example)
    }

    @Test(arguments: [
        ("", FramingError.truncated(needed: 1, at: 0)),
        ("01", .truncated(needed: 1, at: 1)),
        ("0101", .truncated(needed: 5, at: 2)),
        ("0100000000", .truncated(needed: 1, at: 5)),
        ("010161000000", .truncated(needed: 1, at: 6)),
        ("01016100000002aa", .truncated(needed: 1, at: 8)),
        ("010161ffffffffaa", .truncated(needed: 4_294_967_294, at: 8)),
        ("01016100000001aabb", .trailing(1, at: 8)),
        ("010000000000", .badRoute(bytes: 0, limit: 255)),
        ("010261ff00000000", .notUTF8(at: 3)),
        ("0102c08000000000", .notUTF8(at: 2)),
    ])
    func `bytes that are no such frame are invalid, with numbers (PLAINFRAMING-3)`(hex: String, error: FramingError) {
        #expect(throws: Refusal(.invalid, error)) { try client.unwrap([UInt8](hex: hex)) }
    }

    @Test(arguments: [0, 2, 0xFF] as [UInt8])
    func `another version is unsupported, whatever follows (PLAINFRAMING-1, FR-03)`(version: UInt8) throws {
        let good = try client.wrapped(Routed("a", Route("convo-1"), payload: [1]), in: turn()).payload.array
        let refusal = Refusal(.unsupported, FramingError.unsupportedVersion(version, framing: "plain"))
        #expect(throws: refusal) { try client.unwrap([version] + good.dropFirst()) }
        #expect(throws: refusal) { try client.unwrap([version]) }
    }

    @Test func `every prefix and every extension of a frame is invalid`() throws {
        let good = try client.wrapped(Routed("a", Route("convo-1"), payload: [1, 2, 3]), in: turn()).payload.array
        for count in 0..<good.count {
            #expect(outcome(client, Array(good.prefix(count))) == "invalid", "\(count) bytes")
        }
        #expect(outcome(client, good) == "payload")
        #expect(outcome(client, good + [0]) == "invalid")
    }

    @Test func `200,000 hostile inputs are refused, foreign or exactly what they say`() throws {
        let valid = try [0, 1, 30].map { size in
            let payload = Bytes([UInt8](repeating: 1, count: size))
            return try client.wrapped(Routed("a", Route("convo-1"), payload: payload), in: turn()).payload.array
        }
        var counts: [String: Int] = [:]
        var inputs = HostileInputs(seed: 11, valid: valid)
        inputs.forEach { counts[outcome(client, $0), default: 0] += 1 }
        print("plain: \(counts.sorted { $0.key < $1.key })")
        #expect(counts.values.reduce(0, +) == HostileInputs.usualCount)
        for kind in ["payload", "foreign", "invalid", "unsupported"] {
            #expect(counts[kind, default: 0] > HostileInputs.usualCount / 200, "\(kind)")
        }
    }
}

/// What bytes are, in one word; of a payload it is checked that wrapping it again gives the same bytes.
private func outcome(_ framing: PlainFraming, _ bytes: [UInt8]) -> String {
    do {
        switch try framing.unwrap(bytes) {
        case .foreign: return "foreign"
        case .idle: return "idle"
        case .payload(let routed, _):
            let again = try framing.wrapped(routed, in: turn())
            if again.payload.array != bytes { Issue.record("two forms of one payload: \(bytes.hex)") }
            return "payload"
        }
    } catch {
        return error.outcome.rawValue
    }
}
