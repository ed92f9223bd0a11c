import ChatModel
import TestSupport

/// A conversation of any number on one address, in the clear, with one defect, named by the check that must find it.
///
/// A payload is its sender's name, a number and the content; what is missed is asked for in the next payload of anybody,
/// so that all contents of a sender are repeated with each.
struct BrokenGroup: SimpleConversation {
    enum Defect: String, CaseIterable, Sendable, BreaksCheck {
        case refusesFounders = "GROUP-4 founding"
        case refusesMembers = "GROUP-4 members"
        case opensOnce = "GROUP-4"
        case refusesOpenings = "GROUP-4 opening"
        case refusesContent = "GROUP-5 sending"
        case hearsTheFounderAlone = "GROUP-5"
        case refusesItsRecords = "GROUP-6 records"
        case forgetsOnRestart = "GROUP-6"
        case forgetsWhatWasMissed = "GROUP-7"
    }

    @TaskLocal static var defect: Defect?
    static let facts = Facts(
        name: "toy-group", summary: "any number of participants, in the clear",
        claims: [Claim(.lossRecovery, "TOY"), Claim(.replayProtection, "TOY")])
    private static let malformed = Refusal(.invalid, CommonCause.malformed("anything", at: 0))

    private let group: [UInt8]
    private let name: [UInt8]
    private var sent: [[UInt8]] = []
    /// How many contents of each other were heard.
    private var heard: [[UInt8]: Int] = [:]
    private let isFounder: Bool

    private var defect: Defect? { Self.defect }

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        name = step.random.bytes(8, for: .identifier)
        isFounder = seed.role == .initiator
        if isFounder {
            if Self.defect == .refusesFounders { throw Self.malformed }
            group = step.random.bytes(8, for: .identifier)
        } else {
            guard let opening = seed.opening, opening.count == 8, Self.defect != .refusesOpenings else {
                throw Self.malformed
            }
            group = opening.array
        }
    }

    var id: ConversationID { ConversationID(bytes: group + name) }
    private var address: DeliveryAddress { DeliveryAddress(hex(group)) }
    private static let route = Route("group")
    var listening: [Listening] { [Listening(address, Self.route)] }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        switch action {
        case .add(let seeds):
            if defect == .refusesMembers { throw Self.malformed }
            for seed in defect == .opensOnce ? Array(seeds.prefix(1)) : seeds {
                step.open(Bytes(group), to: seed.contact)
            }
        case .send(let content, part: .whole, about: nil):
            if defect == .refusesContent { throw Self.malformed }
            sent.append(content.array)
            let first = defect == .forgetsWhatWasMissed ? sent.count - 1 : 0
            var bytes = name + [isFounder ? 1 : 0, UInt8(first)]
            for content in sent[first...] { bytes += [UInt8(content.count)] + content }
            step.send(Routed(address, Self.route, payload: Bytes(bytes)), for: id)
        default: throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
        }
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let bytes = routed.payload.array
        guard bytes.count > 10 else { throw Self.malformed }
        let sender = Array(bytes.prefix(8))
        if defect == .hearsTheFounderAlone, bytes[8] == 0 { return }
        var (number, rest) = (Int(bytes[9]), bytes.dropFirst(10))
        while let size = rest.popFirst() {
            guard rest.count >= Int(size) else { throw Self.malformed }
            if number >= heard[sender] ?? 0 {
                heard[sender] = number + 1
                step.report(.content(ReceivedContent(Bytes(Array(rest.prefix(Int(size)))))))
            }
            number += 1
            rest = rest.dropFirst(Int(size))
        }
    }

    func takeChanges() -> [Record] {
        func list(_ fields: [[UInt8]]) -> [UInt8] {
            [UInt8(fields.count)] + fields.flatMap { [UInt8($0.count)] + $0 }
        }
        let peers = heard.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return [
            Record(
                "group",
                Bytes(
                    [1] + group + name + [isFounder ? 1 : 0] + list(sent)
                        + list(peers.map { $0.key + [UInt8($0.value)] })
                ))
        ]
    }

    init(restoring records: [Record]) throws(Refusal) {
        guard let bytes = records.first?.bytes?.array, bytes.count > 18, bytes[0] == 1,
            Self.defect != .refusesItsRecords
        else { throw Self.malformed }
        (group, name, isFounder) = (Array(bytes[1..<9]), Array(bytes[9..<17]), bytes[17] == 1)
        guard Self.defect != .forgetsOnRestart else { return }
        var rest = bytes.dropFirst(18)
        func list() throws(Refusal) -> [[UInt8]] {
            var fields: [[UInt8]] = []
            for _ in 0..<(rest.popFirst() ?? 0) {
                guard let size = rest.popFirst(), rest.count >= Int(size) else { throw Self.malformed }
                fields.append(Array(rest.prefix(Int(size))))
                rest = rest.dropFirst(Int(size))
            }
            return fields
        }
        sent = try list()
        for field in try list() where field.count == 9 { heard[Array(field.prefix(8))] = Int(field[8]) }
    }
}
