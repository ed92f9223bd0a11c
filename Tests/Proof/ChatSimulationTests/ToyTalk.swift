import ChatModel

/// What is wrong with a toy, so that an invariant has something to find.
protocol ToyDefect: Sendable {
    static var name: String { get }
    /// Whether it never sends again.
    static var forgets: Bool { get }
    /// Whether it hands on what it has handed on before.
    static var repeats: Bool { get }
    /// Whether it hands on what comes early.
    static var hurries: Bool { get }
    /// Whether it keeps sending when all is acknowledged.
    static var chatters: Bool { get }
    /// Whether it says delivered as soon as something is sent.
    static var boasts: Bool { get }
    /// Whether it stores that it received something only with the next step.
    static var storesLate: Bool { get }
    /// Whether it mixes something up in every 20th content.
    static var garbles: Bool { get }
    /// Whether it hands on what its clock shows instead of the content.
    static var tellsTime: Bool { get }
    /// How often in an hour it sends something that nobody needs.
    static var hourly: Int { get }
}

extension ToyDefect {
    static var forgets: Bool { false }
    static var repeats: Bool { false }
    static var hurries: Bool { false }
    static var chatters: Bool { false }
    static var boasts: Bool { false }
    static var storesLate: Bool { false }
    static var garbles: Bool { false }
    static var tellsTime: Bool { false }
    static var hourly: Int { 0 }
}

enum Sound: ToyDefect { static let name = "toy" }
enum Forgets: ToyDefect { static let (name, forgets) = ("toy-forgets", true) }
enum Repeats: ToyDefect { static let (name, repeats) = ("toy-repeats", true) }
enum Hurries: ToyDefect { static let (name, hurries) = ("toy-hurries", true) }
enum Chatters: ToyDefect { static let (name, chatters) = ("toy-chatters", true) }
enum Boasts: ToyDefect { static let (name, boasts, forgets) = ("toy-boasts", true, true) }
enum StoresLate: ToyDefect { static let (name, storesLate) = ("toy-stores-late", true) }
enum Garbles: ToyDefect { static let (name, garbles) = ("toy-garbles", true) }
enum TellsTime: ToyDefect { static let (name, tellsTime) = ("toy-tells-time", true) }
enum SendsFive: ToyDefect { static let (name, hourly) = ("toy-sends-five", 5) }
enum SendsSeven: ToyDefect { static let (name, hourly) = ("toy-sends-seven", 7) }

/// Conversation of two: numbered contents, sent again until they are acknowledged, handed on in order.
struct ToyTalk<Defect: ToyDefect>: SimpleConversation {
    static var facts: Facts {
        Facts(
            name: Defect.name, summary: "content in order, in the clear, until it has arrived",
            claims: [
                Claim(.lossRecovery, "TOY-2"), Claim(.replayProtection, "TOY-3"), Claim(.causalOrder, "TOY-4"),
            ])
    }

    private let name: Bytes
    private let role: Role
    private var said: UInt32 = 0
    private var unacknowledged: [(number: UInt32, content: Bytes, id: UInt32)] = []
    private var received: UInt32 = 0
    private var early: [UInt32: Bytes] = [:]
    private var backoff = ToyBackoff()
    private var nextWord = Timestamp.zero
    private var late: Record?

    private init(name: Bytes, role: Role) {
        (self.name, self.role) = (name, role)
    }

    private var address: DeliveryAddress { DeliveryAddress("talk-" + hex(name)) }
    private func route(of role: Role) -> String { hex(name) + (role == .initiator ? "01" : "02") }
    var id: ConversationID { ConversationID(route(of: role)) }
    var listening: [Listening] { [Listening(address, Route(id.text))] }
    var nextWake: Timestamp? {
        let resend = unacknowledged.isEmpty && !Defect.chatters ? nil : backoff.next
        return [resend, Defect.hourly > 0 ? nextWord : nil].compactMap(\.self).min()
    }

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        guard seed.role == .responder else {
            self.init(name: Bytes(step.random.bytes(8, for: .identifier)), role: .initiator)
            return
        }
        var reader = ToyReader(seed.opening ?? [])
        self.init(name: try reader.field(), role: .responder)
        try receive(Routed(address, Route(id.text), payload: reader.rest), in: &step)
    }

    init(restoring records: [Record]) throws(Refusal) {
        var reader = ToyReader(records.first?.bytes ?? [])
        self.init(name: try reader.field(), role: try reader.number() == 1 ? .initiator : .responder)
        (said, received) = (try reader.number(), try reader.number())
        for _ in 0..<(try reader.number()) {
            unacknowledged.append((try reader.number(), try reader.field(), try reader.number()))
        }
        for _ in 0..<(try reader.number()) { early[try reader.number()] = try reader.field() }
    }

    mutating func takeChanges() -> [Record] {
        var writer = ToyWriter()
        writer.write(name)
        writer.write(role == .initiator ? 1 : 2)
        writer.write(said)
        writer.write(received)
        writer.write(UInt32(unacknowledged.count))
        for entry in unacknowledged {
            writer.write(entry.number)
            writer.write(entry.content)
            writer.write(entry.id)
        }
        writer.write(UInt32(early.count))
        for (number, content) in early.sorted(by: { $0.key < $1.key }) {
            writer.write(number)
            writer.write(content)
        }
        let record = Record("state", Bytes(writer.bytes))
        guard Defect.storesLate else { return [record] }
        defer { late = record }
        return [late ?? record]
    }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        guard case .send(let content, part: .whole, about: nil) = action else {
            throw Refusal(.unable, CommonCause.unsupportedAction(action.name, type: Defect.name))
        }
        said += 1
        unacknowledged.append((said, content, UInt32(id.number)))
        if unacknowledged.count == 1 { backoff.start(at: step.now) }
        guard role == .initiator, said == 1 else { return send(said, content, for: id, in: &step) }
        var writer = ToyWriter()
        writer.write(name)
        step.open(Bytes(writer.bytes + frame(said, content).array), for: id)
    }

    private func frame(_ number: UInt32, _ content: Bytes) -> Bytes {
        var writer = ToyWriter()
        writer.write(received)
        writer.write(number)
        return Bytes(writer.bytes + content.array)
    }

    private func send(_ number: UInt32, _ content: Bytes, for contentID: ContentID? = nil, in step: inout Step) {
        let route = Route(route(of: role == .initiator ? .responder : .initiator))
        step.send(Routed(address, route, payload: frame(number, content)), for: contentID)
        if let contentID, Defect.boasts { step.report(.status(contentID, .delivered)) }
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        var reader = ToyReader(routed.payload)
        let (acknowledged, number) = (try reader.number(), try reader.number())
        guard number <= received + 100_000 else { throw Refusal(.invalid, ToyCause.malformed) }
        while let first = unacknowledged.first, first.number <= acknowledged {
            unacknowledged.removeFirst()
            if !Defect.boasts { step.report(.status(ContentID(UInt64(first.id)), .delivered)) }
            backoff.start(at: step.now)
        }
        guard number > 0 else { return }
        if number > received {
            early[number] = reader.rest
            if Defect.hurries, early.count > 1 { handOn(number, in: &step) }
            while early[received + 1] != nil { handOn(received + 1, in: &step) }
        } else if Defect.repeats {
            step.report(.content(ReceivedContent(reader.rest)))
        }
        send(0, [], in: &step)
    }

    private mutating func handOn(_ number: UInt32, in step: inout Step) {
        guard var content = early.removeValue(forKey: number) else { return }
        if Defect.tellsTime {
            let now = step.now.milliseconds
            content = Bytes((0..<8).map { UInt8(truncatingIfNeeded: now >> UInt64(56 - 8 * $0)) })
        }
        if Defect.garbles, number % 20 == 0 { content = content.slice(0..<content.count - 1) }
        step.report(.content(ReceivedContent(content)))
        received = number
    }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        if signal == .restored { backoff.start(at: step.now) }
        if signal == .due, step.now >= backoff.next {
            if !Defect.forgets {
                for entry in unacknowledged.prefix(64) { send(entry.number, entry.content, in: &step) }
            }
            if Defect.chatters { send(0, [], in: &step) }
            if Defect.chatters { backoff.start(at: step.now) } else { backoff.again(at: step.now) }
        }
        guard Defect.hourly > 0, signal == .due, step.now >= nextWord else { return }
        send(0, [], in: &step)
        nextWord = step.now + .seconds(3_600 / Defect.hourly)
    }

    private func hex(_ bytes: Bytes) -> String { ConversationID(bytes: bytes.array).text }
}
