import ChatCodec
import ChatConversation
import ChatCrypto
import ChatModel
import ChatReliability

/// The two sides of a PRIVATE1 conversation in a transcript, step by step.
struct PrivateV1Sides<Version: ReliableConversation> where Version.Inner == PrivateV1.Ratchet {
    /// Larger payloads stand in a file by their hash, where the case does not say otherwise.
    private let longestPayload: Int

    private struct Side {
        var conversation: Version
        /// Contents that it sent.
        var contents: UInt64 = 0
    }

    private let one: Case
    private var sides: [String: Side] = [:]
    private(set) var sent: [Payload] = []

    /// The initiator's side begins; the responder's does with its opening.
    init(_ one: Case) throws {
        self.one = one
        longestPayload = one.has("longest_payload") ? try one.int("longest_payload") : 2_048
        let draws = ScriptedDraws([("ratchet_private", try one.bytes("initiator_private"))])
        var turn = Step(now: Timestamp(milliseconds: try one.uint64("start_ms")), random: draws)
        sides["initiator"] = Side(conversation: try Self.begin(one, .initiator, in: &turn))
        try draws.finish()
        _ = sides["initiator"]?.conversation.takeChanges()
    }

    private static func seed(_ one: Case, _ role: Role, opening: Payload? = nil) throws -> ConversationSeed {
        let pair = try one.keyPair("responder_private")
        return ConversationSeed(
            type: Version.type.name, side: opening.map { .invited(opening: $0) } ?? .inviting(),
            secret: try one.secret("secret"), ownKeys: role == .responder ? [pair] : [],
            remoteKeys: role == .initiator ? [pair.publicKey] : [])
    }

    private static func begin(
        _ one: Case, _ role: Role, opening: Payload? = nil, in turn: inout Step
    ) throws -> Version {
        let seed = try seed(one, role, opening: opening)
        var constants = Version.constants
        constants.maximumSegment = try one.int("segment_size")
        return Version(try ReliableStage(seed, Version.names(seed), constants, in: &turn))
    }

    /// Where payloads go, and what is called how.
    func names() throws -> JSON {
        let seed = try Self.seed(one, .initiator)
        let (ids, names) = (RoleIDs(try one.secret("secret"), size: 16), try Version.names(seed))
        guard let listening = sides["initiator"]?.conversation.listening.first,
            listening.route.id == hex(ids.initiator)
        else { throw Problem.differs("the initiator does not listen to its id") }
        return [
            "address": .string(listening.address.text), "initiator_id": .hex(ids.initiator),
            "responder_id": .hex(ids.responder), "initiator_name": .string(names.own.text),
            "responder_name": .string(names.peer.text), "channel": .string(names.channel.text),
        ]
    }

    /// Does a step; one that is refused leaves no trace.
    mutating func perform(_ step: Case, random: any RandomSource) async throws -> JSON {
        let by = try step.text("by")
        var turn = Step(now: Timestamp(milliseconds: try step.uint64("now_ms")), random: random)
        var side = sides[by]
        let output = try await Kind.outcome(unchanged: { side?.conversation.takeChanges().isEmpty ?? true }) {
            if side == nil {
                guard by == "responder", try step.text("op") == "receive" else {
                    throw Problem.unreadable("\(by) has not begun")
                }
                let opening = try payload(step)
                side = Side(conversation: try Self.begin(one, .responder, opening: opening, in: &turn))
            } else if var known = side {
                defer { side = known }
                try perform(step, &known, in: &turn)
            }
            return [:]
        }
        if output["error"] != nil { return output }
        _ = side?.conversation.takeChanges()
        sides[by] = side
        return output.adding(["payloads": try take(turn, by), "events": events(turn.events)])
    }

    private func perform(_ step: Case, _ side: inout Side, in turn: inout Step) throws {
        switch try step.text("op") {
        case "send":
            let id = ContentID(side.contents + 1)
            try side.conversation.perform(.send(Bytes(try step.bytes("content"))), as: id, in: &turn)
            side.contents += 1
        case "send_plaintext":
            let action = Action.send(Bytes(try step.bytes("plaintext")))
            try side.conversation.stage.inner.perform(action, as: ContentID(0), in: &turn)
        case "receive":
            let route = Route(side.conversation.id.text)
            try side.conversation.receive(Routed("a", route, payload: try payload(step)), in: &turn)
        case "wake": side.conversation.handle(.due, in: &turn)
        case let other: throw Problem.notApplicable("step \(other)")
        }
    }

    /// What a step receives: a payload of the transcript, perhaps with one bit flipped, or other bytes.
    private func payload(_ step: Case) throws -> Payload {
        guard step.has("sent") else { return Bytes(try step.bytes("payload")) }
        let number = try step.int("sent")
        guard sent.indices.contains(number) else { throw Problem.unreadable("there is no payload \(number)") }
        guard step.has("flip") else { return sent[number] }
        let (offset, count) = (try step.int("flip"), sent[number].count)
        guard (-count..<count).contains(offset) else { throw Problem.unreadable("flip is \(offset) of \(count)") }
        return Bytes(flipped(sent[number].array, at: offset))
    }

    private mutating func take(_ turn: Step, _ by: String) throws -> JSON {
        let openings = turn.openings.map(\.payload)
        let other = try one.secret("secret")
        let ids = RoleIDs(other, size: 16)
        let route = hex(by == "initiator" ? ids.responder : ids.initiator)
        for send in turn.sends where send.routed.route.id != route {
            throw Problem.differs("the route of a payload is \(send.routed.route.id)")
        }
        let all = openings + turn.sends.map(\.routed.payload)
        let first = sent.count
        sent += all
        return .array(
            all.enumerated().map { index, payload in
                let head: JSON = ["number": JSON(first + index), "size": JSON(payload.count)]
                return payload.count > longestPayload
                    ? head.adding(["sha256": .hex(SHA256.hash(payload.span))])
                    : head.adding(["payload": .hex(payload)])
            })
    }

    /// What the application hears, by kind; only of contents the order counts.
    private func events(_ events: [Event]) -> JSON {
        var contents: [JSON] = []
        var (texts, numbers): ([String: [String]], [String: [UInt64]]) = ([:], [:])
        for event in events {
            switch event {
            case .content(let received): contents.append(.hex(received.content))
            case .status(let id, .delivered): numbers["delivered", default: []].append(id.number)
            case .status(let id, .failed): numbers["failed", default: []].append(id.number)
            case .gap(let gap): texts[gap.isFinal ? "lost" : "missing", default: []].append(gap.reference)
            case .refused(let refusal): texts["refused", default: []].append(refusal.cause.code)
            case .frame:
                guard let placeholder = Placeholder(event) else { continue }
                numbers["placeholders", default: []].append(UInt64(placeholder.counter))
            case .status, .members, .progress, .cancelled, .ended: continue
            }
        }
        var object = JSON.Object()
        if !contents.isEmpty { object["contents"] = .array(contents) }
        for (kind, found) in texts.sorted(by: { $0.key < $1.key }) { object[kind] = .texts(found.sorted()) }
        for (kind, found) in numbers.sorted(by: { $0.key < $1.key }) {
            object[kind] = .array(found.sorted().map { JSON($0) })
        }
        return .object(object)
    }
}
