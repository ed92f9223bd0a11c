public import ChatModel

/// Conversation in which everybody shows what is said in the one order of its address, also what they said themselves:
/// the first user of echoes and of the total order (`Specs/contracts.md`, GROUP).
public struct ToyHall: SimpleConversation {
    /// Name `toy-hall`.
    public static let facts = Facts(
        name: "toy-hall", summary: "contents in one order for all, in the clear",
        claims: [
            Claim(.confidentiality, "TOY", holds: false), Claim(.integrity, "TOY", holds: false),
            Claim(.authentication, "TOY", holds: false),
        ],
        needs: [.totalOrder])

    private let name: [UInt8]
    private let role: Role
    private var sent: UInt8 = 0
    /// The number of the last content of each that was shown: of the initiator, of the responder.
    private var shown: [UInt8] = [0, 0]
    private var isChanged = true

    private init(name: [UInt8], role: Role) {
        (self.name, self.role) = (name, role)
    }

    private var address: DeliveryAddress { DeliveryAddress("hall-\(hex(name))") }
    private static let route = Route("hall")

    /// The own side's id.
    public var id: ConversationID { ConversationID(hex(name) + (role == .initiator ? "01" : "02")) }
    /// The hall, own payloads included.
    public var listening: [Listening] { [Listening(address, Self.route, wantsEcho: true)] }

    /// Begins with a content, which the invite carries.
    public init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        guard case .invited(let opening, _) = seed.side else {
            self.init(name: step.random.bytes(16, for: .identifier), role: .initiator)
            return
        }
        guard opening.count >= 16 else {
            throw Refusal(.invalid, CommonCause.malformed("opening", at: opening.count))
        }
        self.init(name: Array(opening.array.prefix(16)), role: .responder)
        shown[0] = 1
        step.report(.content(ReceivedContent(opening.slice(16..<opening.count))))
    }

    /// Says something; it is shown when it comes back.
    public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        guard case .send(let content, .whole, about: nil) = action else {
            throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
        }
        sent &+= 1
        isChanged = true
        guard sent > 1 || role == .responder else {
            shown[0] = 1
            return step.open(Bytes(name + content.array), for: id)
        }
        let payload = Bytes([role == .initiator ? 0 : 1, sent] + content.array)
        step.send(Routed(address, Self.route, payload: payload), for: id)
    }

    /// Shows what was said.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let bytes = routed.payload.array
        guard bytes.count >= 2, bytes[0] < 2 else {
            throw Refusal(.invalid, CommonCause.malformed("payload", at: bytes.count))
        }
        guard bytes[1] > shown[Int(bytes[0])] else { throw Refusal(.invalid, ToyStream.Cause.replay) }
        shown[Int(bytes[0])] = bytes[1]
        isChanged = true
        step.report(.content(ReceivedContent(routed.payload.slice(2..<bytes.count))))
    }

    /// One record: name, role, and numbers.
    public mutating func takeChanges() -> [Record] {
        guard isChanged else { return [] }
        isChanged = false
        return [Record("hall", Bytes([1] + name + [role == .initiator ? 1 : 2, sent] + shown))]
    }

    /// Makes the conversation again from its record.
    public init(restoring records: [Record]) throws(Refusal) {
        guard records.count == 1, let bytes = records[0].bytes?.array, bytes.count == 21, bytes[0] == 1,
            bytes[17] == 1 || bytes[17] == 2
        else { throw Refusal(.unsupported, CommonCause.unreadableRecord("hall", machine: Self.facts.name)) }
        self.init(name: Array(bytes[1..<17]), role: bytes[17] == 1 ? .initiator : .responder)
        (sent, shown, isChanged) = (bytes[18], Array(bytes[19...]), false)
    }
}
