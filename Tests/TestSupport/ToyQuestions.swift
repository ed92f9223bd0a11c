public import ChatModel

/// Conversation of two in which each content is a question, and its answer comes at an address of its own, in parts, and
/// ends there: the first user of replies (`Specs/contracts.md`, REPLY).
///
/// A question is its number and bytes; an answer is a kind and bytes. Answers are of one process: a restart forgets
/// the questions that are open.
public struct ToyQuestions: SimpleConversation {
    /// Name `toy-questions`.
    public static let facts = Facts(
        name: "toy-questions", summary: "questions and answers, in the clear",
        claims: [
            Claim(.confidentiality, "TOY", holds: false), Claim(.integrity, "TOY", holds: false),
            Claim(.authentication, "TOY", holds: false),
        ],
        needs: [.replies])

    enum Cause: String, RefusalCause {
        case malformed, unknown
        var code: String { self == .malformed ? "malformed" : "invalid_state" }
        var description: String { rawValue }
    }

    /// A question of this side whose answer has not ended.
    private struct Asked {
        let content: ContentID
        var last: (bytes: Bytes, part: Part)?
    }

    private let name: [UInt8]
    private let role: Role
    private var sent: UInt8 = 0
    private var asked: [DeliveryAddress: Asked] = [:]
    /// Questions of the other side that can be answered, and the content that answers each.
    private var open: [String: DeliveryAddress] = [:]
    private var answers: [DeliveryAddress: ContentID] = [:]
    private var isChanged = true

    private init(name: [UInt8], role: Role) {
        (self.name, self.role) = (name, role)
    }

    private func address(_ role: Role) -> DeliveryAddress { DeliveryAddress("questions-\(hex(name))-\(role)") }
    private static let route = Route("questions")

    /// The own side's id.
    public var id: ConversationID { ConversationID(hex(name) + (role == .initiator ? "01" : "02")) }
    /// Where questions come, and where answers are awaited.
    public var listening: [Listening] {
        [Listening(address(role), Self.route)]
            + asked.keys.sorted { $0.text < $1.text }.map { Listening($0, Self.route) }
    }

    /// Begins with a greeting, which has no answer.
    public init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        guard case .invited(let opening, _) = seed.side else {
            self.init(name: step.random.bytes(16, for: .identifier), role: .initiator)
            return
        }
        guard opening.count >= 16 else { throw Refusal(.invalid, Cause.malformed) }
        self.init(name: Array(opening.array.prefix(16)), role: .responder)
        step.report(.content(ReceivedContent(opening.slice(16..<opening.count), part: .whole)))
    }

    /// Asks, answers, or wants no more of an answer.
    public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        switch action {
        case .send(let content, .whole, about: nil): ask(content, as: id, in: &step)
        case .send(let content, let part, about: .received(let reference)):
            guard let address = open[reference], answers[address] == nil || answers[address] == id else {
                throw Refusal(.unable, Cause.unknown)
            }
            answers[address] = part.isLast ? nil : id
            if part.isLast { open[reference] = nil }
            let ending: Ending? =
                switch part {
                case .whole: .complete
                case .cut(let ending): ending
                case .delta, .snapshot: nil
                }
            let kind: UInt8 = part == .delta ? 1 : part == .snapshot ? 2 : 3
            let payload = Bytes([kind] + content.array)
            step.send(Routed(address, Self.route, payload: payload, ending: ending), for: id, isTransient: !part.isLast)
        case .cancel(.own(let content)):
            guard let address = asked.first(where: { $0.value.content == content })?.key else {
                throw Refusal(.unable, Cause.unknown)
            }
            asked[address] = nil
            step.report(.status(content, .cancelled))
        default: throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
        }
    }

    private mutating func ask(_ content: Content, as id: ContentID, in step: inout Step) {
        sent &+= 1
        isChanged = true
        guard sent > 1 || role == .responder else { return step.open(Bytes(name + content.array), for: id) }
        let reply = DeliveryAddress("answers-\(hex(name))-\(role)-\(sent)")
        asked[reply] = Asked(content: id)
        let peer: Role = role == .initiator ? .responder : .initiator
        let payload = Bytes([sent] + content.array)
        step.send(Routed(address(peer), Self.route, payload: payload, replyAddress: reply), for: id)
    }

    /// Takes a question or a part of an answer.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        guard let first = routed.payload.array.first else { throw Refusal(.invalid, Cause.malformed) }
        let content = routed.payload.slice(1..<routed.payload.count)
        if let reply = routed.replyAddress, routed.address == address(role) {
            open[String(first)] = reply
            return step.report(.content(ReceivedContent(content, reference: String(first))))
        }
        guard asked[routed.address] != nil else { throw Refusal(.invalid, Cause.unknown) }
        guard let ending = routed.ending else {
            let part: Part = first == 1 ? .delta : .snapshot
            return step.report(.content(ReceivedContent(content, part: part, reference: routed.address.text)))
        }
        asked[routed.address]?.last = (content, .cut(ending))
    }

    /// Learns that an answer has ended, or that nobody waits for one any more.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        guard case .replyEnded(let address, _) = signal else { return }
        if let one = asked.removeValue(forKey: address), let last = one.last {
            step.report(.content(ReceivedContent(last.bytes, part: last.part, reference: address.text)))
        }
        guard let question = open.first(where: { $0.value == address })?.key else { return }
        open[question] = nil
        if let answer = answers.removeValue(forKey: address) { step.report(.cancelled(.own(answer))) }
    }

    /// One record: name, role, questions asked.
    public mutating func takeChanges() -> [Record] {
        guard isChanged else { return [] }
        isChanged = false
        return [Record("questions", Bytes([1] + name + [role == .initiator ? 1 : 2, sent]))]
    }

    /// Makes the conversation again from its record.
    public init(restoring records: [Record]) throws(Refusal) {
        guard records.count == 1, let bytes = records[0].bytes?.array, bytes.count == 19, bytes[0] == 1,
            bytes[17] == 1 || bytes[17] == 2
        else { throw Refusal(.unsupported, CommonCause.unreadableRecord("questions", machine: Self.facts.name)) }
        self.init(name: Array(bytes[1..<17]), role: bytes[17] == 1 ? .initiator : .responder)
        (sent, isChanged) = (bytes[18], false)
    }
}
