import ChatCodec
import ChatConversation
import ChatCrypto
import ChatModel
import ChatReliability

// Kind `private_v1`: conversations of profile reference, from a seed to payloads and back.
extension Kind {
    static let privateV1 = Kind(name: "private_v1", run: playPrivateV1, files: privateV1Files)

    private static func playPrivateV1(_ one: Case) async throws -> JSON {
        switch try one.text("type") {
        case PrivateV1.facts.name: try await play(one, PrivateV1.self)
        case PrivateV1.Compact.facts.name: try await play(one, PrivateV1.Compact.self)
        case let other: throw Problem.notApplicable("conversation type \(other)")
        }
    }

    private static func play<Version: ReliableConversation>(
        _ one: Case, _: Version.Type
    ) async throws -> JSON where Version.Inner == PrivateV1.Ratchet {
        var sides = try PrivateV1Sides<Version>(one)
        var outputs: [JSON] = []
        for step in try one.list("steps") {
            let draws = try ScriptedDraws(step)
            outputs.append(try await sides.perform(step, random: draws))
            try draws.finish()
        }
        return try sides.names().adding(["steps": .array(outputs)])
    }

    /// A move of a script; times are in milliseconds since the conversation began.
    private enum Move {
        case send(Int, String, Int)
        case plaintext(Int, String, Bytes)
        case receive(Int, String, Int, flip: Int? = nil, error: String? = nil)
        case bytes(Int, String, String, error: String)
        case wake(Int, String)
        case tooLarge(Int, String, Int)
    }

    private static let usualSegment = 102_400

    private static func privateV1Files(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        cases += try await drafts(PrivateV1.self, maker)
        cases += try await drafts(PrivateV1.Compact.self, maker)
        return [
            VectorFile(
                "private_v1.json", kind: "private_v1", profile: "reference",
                notes: ["wakes stand where every choice of SDS-12 gives the same"], cases: cases)
        ]
    }

    private static func drafts<Version: ReliableConversation>(
        _: Version.Type, _ maker: DeterministicValues
    ) async throws -> [JSON] where Version.Inner == PrivateV1.Ratchet {
        var drafts: [JSON] = []
        let type = Version.facts.name
        for (id, comment, size) in [
            (
                "both-ways", "the opening, an answer, and one more; acknowledged by what comes back (REL-8)",
                usualSegment
            ),
            ("empty", "a content of no bytes", usualSegment),
            ("segments", "three segments, each a message of its own, in each direction (REL-3)", 24),
            ("reordered", "four contents, the last first: delivered in causal order (SDS-07)", usualSegment),
            ("turns", "payloads of two turns and of both sides cross each other", usualSegment),
            (
                "repeated",
                "a payload again is a replay; the message sent again is another payload, and delivered once",
                usualSegment
            ),
            ("resent", "one payload is lost: asked for, sent again and encrypted anew (SDS-11, SDSR-06)", usualSegment),
            (
                "heard", "who is heard lacks what it does not acknowledge, and the time is not doubled (SDS-11)",
                usualSegment
            ),
            (
                "quiet-wakes",
                "a wake that sends nothing changes no later time; who is heard lets a message go two seconds after it "
                    + "was sent last, at once where that is past (SDS-11, SDS-R8)", usualSegment
            ),
            (
                "whole-filters", "an opening and an answer, with all their bytes, filters included (PVR-5)",
                usualSegment
            ), ("resent-segment", "the middle one of three segments is lost", 24),
            ("tampered", "one bit is wrong anywhere in a payload, and then the payload itself (DR-3)", usualSegment),
            ("opening-tampered", "a conversation begins with the first opening that is good (PVR-6)", usualSegment),
            (
                "inside",
                "authentic payloads with messages, segments and frames that are no good are lost (REL-4, REL-5)",
                usualSegment
            ),
            ("frames", "placeholders, and frames of a kind that is not known (REL-6)", usualSegment),
            (
                "too-large", "a content that needs more than 255 segments is refused, and nothing has happened (REL-9)",
                4
            ),
            (
                "lost", "what cannot be had is given up after a day, and what came after it delivered (SDS-10)",
                usualSegment
            ),
            ("failed", "nobody answers for seven days (SDS-11)", usualSegment),
        ] where Version.constants.sds.filter == nil ? id != "whole-filters" : id != "failed" {
            let name = "private_v1/\(type)/\(id)"
            let start: JSON = [
                "type": .string(type), "secret": maker.hex(32, "\(name)/secret"),
                "initiator_private": maker.hex(32, "\(name)/initiator"),
                "responder_private": maker.hex(32, "\(name)/responder"), "segment_size": JSON(size),
                "start_ms": 1_700_000_000_000,
            ]
            let whole: JSON = id == "whole-filters" ? ["longest_payload": 4_096] : [:]
            let head = start.adding(whole)
            let script = try moves(id, Crafted<Version>(head))
            let steps = try await steps(script, head, Version.self, maker, name)
            let draft = draft("\(id)-\(type)", comment, head.adding(["steps": .array(steps)]))
            drafts.append(draft)
        }
        return drafts
    }

    /// A wake every two hours: time without a step does not count (SDS-R10).
    private static func hours(_ count: Int, _ by: String) -> [Move] {
        stride(from: 2, through: count, by: 2).map { .wake($0 * 3_600_000, by) }
    }

    private static func moves<Version: ReliableConversation>(
        _ id: String, _ crafted: Crafted<Version>
    ) throws -> [Move] {
        let (i, r) = ("initiator", "responder")
        let day = 86_400_000
        switch id {
        case "both-ways":
            return [
                .send(0, i, 5), .receive(100, r, 0), .send(200, r, 7), .receive(300, i, 1), .send(400, i, 64),
                .receive(500, r, 2), .wake(1_500, r), .receive(1_600, i, 3),
            ]
        case "empty": return [.send(0, i, 0), .receive(10, r, 0), .send(20, r, 0), .receive(30, i, 1)]
        case "segments":
            return [
                .send(0, i, 40), .receive(10, r, 0), .receive(20, r, 1), .receive(30, r, 2), .send(40, r, 44),
                .receive(50, i, 3), .receive(60, i, 4), .receive(70, i, 5), .wake(1_070, i), .receive(1_080, r, 6),
            ]
        case "reordered":
            return [
                .send(0, i, 3), .send(10, i, 4), .send(20, i, 5), .send(30, i, 6), .receive(100, r, 0),
                .receive(110, r, 3), .receive(120, r, 2), .receive(130, r, 1), .wake(1_100, r), .receive(1_200, i, 4),
            ]
        case "turns":
            return [
                .send(0, i, 3), .receive(10, r, 0), .send(20, r, 4), .send(20, i, 5), .receive(30, i, 1),
                .send(40, i, 6), .receive(50, r, 3), .receive(60, r, 2), .send(70, r, 7), .receive(80, i, 4),
            ]
        case "repeated":
            return [
                .send(0, i, 3), .receive(10, r, 0), .send(20, i, 4), .receive(30, r, 1),
                .receive(40, r, 1, error: "replay"), .receive(40, r, 0, error: "replay"), .wake(5_020, i),
                .receive(5_100, r, 2), .receive(5_110, r, 3), .receive(5_120, r, 3, error: "replay"),
                .wake(6_100, r), .receive(6_200, i, 4),
            ]
        case "resent":
            return [
                .send(0, i, 3), .receive(10, r, 0), .send(20, i, 4), .send(30, i, 5), .receive(40, r, 2),
                .wake(400, r), .receive(410, i, 3), .receive(420, r, 4), .wake(920, r),
                .receive(930, i, 5),
            ]
        case "heard":
            return [
                .send(0, i, 3), .receive(10, r, 0), .send(20, r, 4), .receive(30, i, 1), .send(1_000, i, 5),
                .wake(2_999, i), .wake(3_000, i), .send(4_000, r, 6), .receive(4_100, i, 4), .wake(4_600, i),
                .wake(4_999, i), .wake(5_000, i),
            ]
        case "quiet-wakes":
            return [
                .send(0, i, 3), .receive(10, r, 0), .send(20, r, 4), .receive(30, i, 1), .send(1_000, i, 5),
                .wake(2_000, i), .wake(3_000, i), .wake(5_000, i), .wake(6_999, i), .wake(7_000, i), .wake(11_000, i),
                .send(12_000, r, 6), .receive(12_000, i, 5), .wake(12_001, i), .wake(13_000, i), .send(13_000, r, 7),
                .receive(13_000, i, 8), .wake(14_000, i), .wake(14_001, i),
            ]
        case "whole-filters":
            return [.send(0, i, 3), .receive(10, r, 0), .send(20, r, 4), .receive(30, i, 1)]
        case "resent-segment":
            return [
                .send(0, i, 3), .receive(10, r, 0), .send(20, i, 40), .receive(30, r, 1), .receive(40, r, 3),
                .wake(5_020, i), .receive(5_030, r, 6),
            ]
        case "tampered":
            return [
                .send(0, i, 3), .receive(10, r, 0), .send(20, i, 4),
                .receive(30, r, 1, flip: -1, error: "authentication_failed"),
                .receive(30, r, 1, flip: -17, error: "authentication_failed"),
                .receive(30, r, 1, flip: -60, error: "authentication_failed"),
                .receive(30, r, 1, flip: 20, error: "authentication_failed"),
                .bytes(30, r, "", error: "malformed"), .bytes(30, r, "1205", error: "malformed"), .receive(40, r, 1),
            ]
        case "opening-tampered":
            return [
                .plaintext(0, i, [0xFF]), .receive(10, r, 0, error: "malformed"),
                .plaintext(20, i, try crafted.message("x", content: nil)), .receive(30, r, 1, error: "malformed"),
                .plaintext(40, i, try crafted.message("x", sender: "mallory", content: [1])),
                .receive(50, r, 2, error: "authentication_failed"), .send(60, i, 4),
                .receive(70, r, 3, flip: -1, error: "authentication_failed"), .receive(80, r, 3),
            ]
        case "inside":
            let segment = try crafted.segment(Bytes([0x52, 0x01, 0x78]))
            return [
                .send(0, i, 3), .receive(10, r, 0), .plaintext(20, i, [0xFF]), .receive(20, r, 1),
                .plaintext(30, i, try crafted.message("m1", sender: "mallory", content: segment)), .receive(30, r, 2),
                .plaintext(40, i, try crafted.message("m2", sender: crafted.responder, content: segment)),
                .receive(40, r, 3), .plaintext(50, i, try crafted.message("", content: segment)), .receive(50, r, 4),
                .plaintext(60, i, try crafted.message("m3", channel: "elsewhere", content: segment)),
                .receive(60, r, 5),
                .plaintext(70, i, try crafted.message("m4", lamport: 1 << 63, content: segment)), .receive(70, r, 6),
                .plaintext(80, i, try crafted.message("m5", history: ["m5"], content: segment)), .receive(80, r, 7),
                .plaintext(90, i, try crafted.message("m6", content: [0xFF])), .receive(90, r, 8),
                .plaintext(100, i, try crafted.message("m7", content: Bytes(flipped(segment.array, at: -1)))),
                .receive(100, r, 9),
                .plaintext(110, i, try crafted.message("m8", content: try crafted.segment([0x52, 0x05]))),
                .receive(110, r, 10),
                .plaintext(120, i, try crafted.message("m9", content: segment)), .receive(120, r, 11),
            ]
        case "frames":
            return [
                .send(0, i, 3), .receive(10, r, 0),
                .plaintext(20, i, try crafted.message("m1", content: try crafted.segment([0x5A, 0x02, 0x08, 0x07]))),
                .receive(20, r, 1),
                .plaintext(30, i, try crafted.message("m2", content: try crafted.segment([0x08, 0x07]))),
                .receive(30, r, 2),
                .plaintext(40, i, try crafted.message("m3", content: try crafted.segment([0x62, 0x01, 0x78]))),
                .receive(40, r, 3), .wake(1_040, r), .receive(1_050, i, 4),
            ]
        case "too-large":
            return [.send(0, i, 3), .tooLarge(10, i, 1_020), .send(20, i, 4)]
        case "lost":
            return [
                .send(0, i, 3), .receive(10, r, 0), .send(20, i, 4), .send(30, i, 5), .receive(40, r, 2),
            ] + hours(24, r) + [.wake(day + 40, r)]
        case "failed": return [.send(0, i, 3)] + hours(168, i)
        default: throw Problem.unreadable("there is no script \(id)")
        }
    }

    private static func steps<Version: ReliableConversation>(
        _ moves: [Move], _ head: JSON, _: Version.Type, _ maker: DeterministicValues, _ name: String
    ) async throws -> [JSON] where Version.Inner == PrivateV1.Ratchet {
        var (sides, steps): (_, [JSON]) = (try PrivateV1Sides<Version>(Case(json: head)), [])
        for (number, move) in moves.enumerated() {
            func step(_ operation: String, _ by: String, _ time: Int, _ fields: JSON, _ error: String? = nil) -> JSON {
                let step: JSON = [
                    "op": .string(operation), "by": .string(by), "now_ms": JSON(1_700_000_000_000 + time),
                ]
                return error.map { refusedStep(step.adding(fields), error: $0) } ?? step.adding(fields)
            }
            func content(_ count: Int) -> JSON { ["content": maker.hex(count, "\(name)/\(number)/content")] }
            let next: JSON
            switch move {
            case .send(let time, let by, let count): next = step("send", by, time, content(count))
            case .tooLarge(let time, let by, let count): next = step("send", by, time, content(count), "too_large")
            case .plaintext(let time, let by, let bytes):
                next = step("send_plaintext", by, time, ["plaintext": .hex(bytes)])
            case .receive(let time, let by, let sent, let flip, let error):
                let flip: JSON = flip.map { ["flip": JSON($0)] } ?? [:]
                next = step("receive", by, time, (["sent": JSON(sent)] as JSON).adding(flip), error)
            case .bytes(let time, let by, let bytes, let error):
                next = step("receive", by, time, ["payload": .string(bytes)], error)
            case .wake(let time, let by): next = step("wake", by, time, [:])
            }
            let recorded = Recorder(maker, "\(name)/\(number)")
            _ = try await sides.perform(Case(json: next), random: recorded)
            steps.append(recorded.drawn.isEmpty ? next : next.adding(["randomness": .array(recorded.drawn)]))
        }
        return steps
    }
}

/// Randomness of a maker that is written down as it is drawn.
private final class Recorder: RandomSource {
    private let maker: DeterministicValues
    private let name: String
    private let values = Lock<[JSON]>([])

    init(_ maker: DeterministicValues, _ name: String) {
        (self.maker, self.name) = (maker, name)
    }

    var drawn: [JSON] { values.withLock { $0 } }

    func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        let count = bytes.count
        let value = values.withLock { values in
            let value = maker.bytes(count, "\(name)/\(values.count)/\(label.rawValue)")
            values.append(["label": .string(label.rawValue), "bytes": .hex(value)])
            return value
        }
        for index in value.indices { bytes[index] = value[index] }
    }
}

/// Plaintexts that no conversation of this type would encrypt.
private struct Crafted<Version: ReliableConversation> {
    private let names: ReliableNames
    var responder: String { names.peer.text }

    init(_ head: JSON) throws {
        let secret = try Case(json: head).secret("secret")
        names = try Version.names(ConversationSeed(type: Version.type.name, side: .inviting(), secret: secret))
    }

    /// The one segment of a frame.
    func segment(_ frame: Bytes) throws -> Bytes {
        try Segmentation(segmentSize: 1_024).split(frame)[0]
    }

    /// A message of the initiator, in which one thing may be wrong.
    func message(
        _ id: String, sender: String? = nil, channel: String? = nil, lamport: UInt64 = 1_700_000_000_000,
        history: [String] = [], content: Bytes?
    ) throws -> Bytes {
        SDSMessage(
            sender: try sender.map(Kind.identifier) ?? names.own, id: try Kind.identifier(id),
            channel: try channel.map(Kind.identifier) ?? names.channel, lamport: lamport,
            history: try history.map { SDSMessage.HistoryEntry(try Kind.identifier($0)) }, content: content
        ).encoded()
    }
}
