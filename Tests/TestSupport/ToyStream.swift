public import ChatModel

/// Conversation of two in which contents come in parts and can be cancelled: the first user of parts, answers and
/// cancelling (`Specs/contracts.md`, PART).
///
/// A payload is a kind, the number of the content, two bytes of the number of the part in it, the number of the content
/// that it answers, and bytes. A delta says how many bytes came before it. After a hole, deltas are dropped until a
/// snapshot or the last part comes.
///
/// Deltas and snapshots are transient on both sides (DURABLE): numbers of parts are reserved on disk a hundred at a
/// time, and after a restart a sender goes on with a snapshot.
public struct ToyStream: SimpleConversation {
    /// Name `toy-stream`.
    public static let facts = Facts(
        name: "toy-stream", summary: "contents in parts, in the clear",
        claims: [
            Claim(.confidentiality, "TOY", holds: false), Claim(.integrity, "TOY", holds: false),
            Claim(.authentication, "TOY", holds: false),
        ])

    private enum Kind: UInt8 {
        case whole = 1, delta, snapshot, complete, cancelled, failed
        /// The recipient wants no more of a content; the number is the other side's.
        case cancel
    }

    enum Cause: String, RefusalCause {
        case malformed, replay, finished, unknown, restarted
        var code: String {
            self == .replay ? "replay" : self != .malformed ? "invalid_state" : "malformed"
        }
        var description: String { rawValue }
    }

    /// A content of which parts were sent.
    private struct Sending: Equatable {
        let number: UInt8
        var parts: UInt16 = 0
        /// Numbers of parts up to here may have been used when the process ended.
        var reserved: UInt16 = 0
        /// The bytes so far; nil after a restart, until a snapshot says it.
        var size: UInt32? = 0
    }

    /// A content of which parts came; the bytes are nil after a hole.
    private struct Receiving: Equatable {
        var parts: UInt16 = 0
        var bytes: [UInt8]? = []
        var about: UInt8 = 0
    }

    private let name: [UInt8]
    private let role: Role
    private var sent: UInt8 = 0
    private var sending: [ContentID: Sending] = [:]
    private var receiving: [UInt8: Receiving] = [:]
    /// The client's ids of the contents that were sent, and the numbers of those of which something came.
    private var ids: [UInt8: ContentID] = [:]
    private var heard: Set<UInt8> = []
    private var isChanged = true

    private init(name: [UInt8], role: Role) {
        (self.name, self.role) = (name, role)
    }

    private func id(of role: Role) -> String { hex(name) + (role == .initiator ? "01" : "02") }
    /// The own side's id.
    public var id: ConversationID { ConversationID(id(of: role)) }
    /// One address for everybody.
    public var listening: [Listening] { [Listening("stream", Route(id.text))] }

    /// Begins with a content, which the invite carries.
    public init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        guard case .invited(let opening, _) = seed.side else {
            let secret = seed.secret?.lend { Bytes(copying: $0).array.prefix(16) }
            self.init(name: secret.map(Array.init) ?? step.random.bytes(16, for: .identifier), role: .initiator)
            return
        }
        guard opening.count >= 16 else { throw Refusal(.invalid, Cause.malformed) }
        self.init(name: Array(opening.array.prefix(16)), role: .responder)
        try receive(Routed("", Route(""), payload: opening.slice(16..<opening.count)), in: &step)
    }

    /// Sends a content, whole or in parts; cancels one of either side.
    public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        switch action {
        case .send(let content, let part, let about): try send(content, part, about, as: id, in: &step)
        case .cancel(.own(let id)):
            guard let one = sending.removeValue(forKey: id) else { throw Refusal(.unable, Cause.unknown) }
            isChanged = true
            step.withdraw(id)
            post(.cancelled, one.number, one.parts, [], for: nil, in: &step)
            step.report(.status(id, .cancelled))
        case .cancel(.received(let reference)):
            guard let number = UInt8(reference), receiving[number] != nil else {
                throw Refusal(.unable, Cause.unknown)
            }
            post(.cancel, number, 0, [], for: nil, in: &step)
        default: throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
        }
    }

    private mutating func send(
        _ content: Content, _ part: Part, _ about: Target?, as id: ContentID, in step: inout Step
    ) throws(Refusal) {
        guard sent < 250, content.count + 32 <= step.maximumPayload else {
            throw Refusal(
                .unable, CommonCause.tooLarge("payload", bytes: content.count + 32, limit: step.maximumPayload))
        }
        var one = sending[id] ?? Sending(number: sent + 1)
        guard sending[id] != nil || !ids.values.contains(id), one.parts < 60_000 else {
            throw Refusal(.unable, Cause.finished)
        }
        var answered: UInt8 = 0
        if let about {
            guard case .received(let reference) = about, let number = UInt8(reference), heard.contains(number) else {
                throw Refusal(.unable, Cause.unknown)
            }
            answered = number
        }
        let isFirst = role == .initiator && sent == 0
        guard !isFirst || part == .whole else { throw Refusal(.unable, Cause.unknown) }
        var bytes = [answered]
        if part == .delta {
            guard let size = one.size else { throw Refusal(.unable, Cause.restarted) }
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) }
        }
        if ids[one.number] == nil || part.isLast { isChanged = true }
        (sent, ids[one.number]) = (max(sent, one.number), id)
        one.parts += 1
        if one.parts > one.reserved {
            one.reserved += 100
            isChanged = true
        }
        if case .cut(.failed(let reason)) = part {
            bytes += [UInt8(min(255, reason.utf8.count))] + Array(reason.utf8.prefix(255))
        }
        bytes += content.array
        one.size = part == .delta ? one.size.map { $0 &+ UInt32(content.count) } : UInt32(content.count)
        sending[id] = part.isLast ? nil : one
        let kind: Kind =
            switch part {
            case .whole: .whole
            case .delta: .delta
            case .snapshot: .snapshot
            case .cut(.complete): .complete
            case .cut(.cancelled): .cancelled
            case .cut(.failed): .failed
            }
        guard !isFirst else {
            return step.open(Bytes(name + Self.head(kind, one.number, one.parts) + bytes), for: id)
        }
        post(kind, one.number, one.parts, bytes, for: id, in: &step, isTransient: !part.isLast)
    }

    private static func head(_ kind: Kind, _ number: UInt8, _ part: UInt16) -> [UInt8] {
        [kind.rawValue, number, UInt8(part >> 8), UInt8(part & 0xff)]
    }

    private func post(
        _ kind: Kind, _ number: UInt8, _ part: UInt16, _ bytes: [UInt8], for id: ContentID?, in step: inout Step,
        isTransient: Bool = false
    ) {
        let route = Route(self.id(of: role == .initiator ? .responder : .initiator))
        step.send(
            Routed("stream", route, payload: Bytes(Self.head(kind, number, part) + bytes)), for: id,
            isTransient: isTransient)
    }

    /// Takes a part; repeats and what comes after the last part are refused.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let bytes = routed.payload.array
        guard bytes.count >= 4, let kind = Kind(rawValue: bytes[0]) else { throw Refusal(.invalid, Cause.malformed) }
        let (number, part) = (bytes[1], UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        if kind == .cancel {
            guard bytes.count == 4, number > 0, number <= sent else { throw Refusal(.invalid, Cause.malformed) }
            guard let id = sending.first(where: { $0.value.number == number })?.key else {
                throw Refusal(.invalid, Cause.replay)
            }
            return step.report(.cancelled(.own(id)))
        }
        guard number > 0, bytes.count > 4 || kind == .cancelled else { throw Refusal(.invalid, Cause.malformed) }
        guard !heard.contains(number) || receiving[number] != nil else { throw Refusal(.invalid, Cause.replay) }
        var one = receiving[number] ?? Receiving()
        guard part > one.parts || kind == .cancelled else { throw Refusal(.invalid, Cause.replay) }
        guard receiving.count < 16 || receiving[number] != nil else { throw Refusal(.invalid, Cause.finished) }
        let (about, rest) = (bytes.dropFirst(4).first ?? 0, bytes.dropFirst(5))
        let (delivered, said) = try Self.take(kind, rest, part, &one)
        one.parts = max(part, one.parts)
        if about > 0 { one.about = about }
        heard.insert(number)
        isChanged = true
        receiving[number] = said.isLast ? nil : one
        guard let delivered else { return }
        step.report(
            .content(
                ReceivedContent(
                    Bytes(delivered), part: said, reference: String(number), about: ids[one.about].map { .own($0) })))
    }

    /// What a part delivers, nil in a hole, and which part it is.
    private static func take(
        _ kind: Kind, _ rest: ArraySlice<UInt8>, _ part: UInt16, _ one: inout Receiving
    ) throws(Refusal) -> ([UInt8]?, Part) {
        switch kind {
        case .whole: return (Array(rest), .whole)
        case .delta:
            guard rest.count >= 4 else { throw Refusal(.invalid, Cause.malformed) }
            let before = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let added = Array(rest.dropFirst(4))
            guard let bytes = one.bytes, bytes.count == before, bytes.count + added.count <= 1 << 20 else {
                one.bytes = nil
                return (nil, .delta)
            }
            one.bytes = bytes + added
            return (added, .delta)
        case .snapshot:
            one.bytes = Array(rest)
            return (Array(rest), .snapshot)
        case .complete: return (Array(rest), .cut(.complete))
        case .cancelled: return (rest.isEmpty ? one.bytes ?? [] : Array(rest), .cut(.cancelled))
        case .failed:
            guard let count = rest.first.map(Int.init), rest.count > count,
                let reason = String(validating: rest.dropFirst().prefix(count), as: UTF8.self)
            else { throw Refusal(.invalid, Cause.malformed) }
            return (Array(rest.dropFirst(1 + count)), .cut(.failed(reason)))
        case .cancel: throw Refusal(.invalid, Cause.malformed)
        }
    }

    /// After a restart, the last snapshot of each content under way is shown.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        guard signal == .restored else { return }
        for (number, one) in receiving.sorted(by: { $0.key < $1.key }) {
            guard let bytes = one.bytes else { continue }
            step.report(.content(ReceivedContent(Bytes(bytes), part: .snapshot, reference: String(number))))
        }
    }

    /// One record with everything.
    public mutating func takeChanges() -> [Record] {
        guard isChanged else { return [] }
        isChanged = false
        var bytes: [UInt8] = [2] + name + [role == .initiator ? 1 : 2, sent]
        func write(_ number: UInt64) { bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }
        bytes.append(UInt8(ids.count))
        for (number, id) in ids.sorted(by: { $0.key < $1.key }) {
            bytes.append(number)
            write(id.number)
        }
        bytes.append(UInt8(heard.count))
        bytes += heard.sorted()
        bytes.append(UInt8(sending.count))
        for (id, one) in sending.sorted(by: { $0.key.number < $1.key.number }) {
            write(id.number)
            bytes.append(one.number)
            write(UInt64(one.reserved))
        }
        bytes.append(UInt8(receiving.count))
        for (number, one) in receiving.sorted(by: { $0.key < $1.key }) {
            bytes += [number, one.about, one.bytes == nil ? 0 : 1]
            write(UInt64(one.parts))
            write(UInt64(one.bytes?.count ?? 0))
            bytes += one.bytes ?? []
        }
        return [Record("stream", Bytes(bytes))]
    }

    /// Makes the conversation again from its record.
    public init(restoring records: [Record]) throws(Refusal) {
        let unreadable = Refusal(.unsupported, CommonCause.unreadableRecord("stream", machine: Self.facts.name))
        guard records.count == 1, records[0].key == "stream", var rest = records[0].bytes?.array[...],
            rest.popFirst() == 2, rest.count >= 18
        else { throw unreadable }
        let name = Array(rest.prefix(16))
        rest = rest.dropFirst(16)
        guard let role = rest.popFirst(), role == 1 || role == 2, let sent = rest.popFirst() else { throw unreadable }
        self.init(name: name, role: role == 1 ? .initiator : .responder)
        self.sent = sent
        func byte() throws(Refusal) -> UInt8 {
            guard let byte = rest.popFirst() else { throw unreadable }
            return byte
        }
        func bytes(_ count: Int) throws(Refusal) -> [UInt8] {
            guard rest.count >= count else { throw unreadable }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func integer() throws(Refusal) -> UInt64 { try bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
        for _ in 0..<(try byte()) { ids[try byte()] = ContentID(try integer()) }
        heard = Set(try bytes(Int(try byte())))
        for _ in 0..<(try byte()) {
            let id = ContentID(try integer())
            let (number, reserved) = (try byte(), UInt16(truncatingIfNeeded: try integer()))
            sending[id] = Sending(number: number, parts: reserved, reserved: reserved, size: nil)
        }
        for _ in 0..<(try byte()) {
            let (number, about, isThere) = (try byte(), try byte(), try byte())
            let parts = UInt16(truncatingIfNeeded: try integer())
            let count = try integer()
            guard count <= 1 << 20 else { throw unreadable }
            let content = try bytes(Int(count))
            receiving[number] = Receiving(parts: parts, bytes: isThere == 1 ? content : nil, about: about)
        }
        guard rest.isEmpty else { throw unreadable }
        isChanged = false
    }
}
