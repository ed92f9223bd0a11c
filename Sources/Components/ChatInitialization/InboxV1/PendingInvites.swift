import ChatModel
import ChatWire

/// Invites that nobody has answered yet, which are sent again with growing pauses (5-29).
///
/// What follows an invite cannot be read without it, so one lost invite loses a conversation. The
/// bytes stay the same: the recipient takes the first and refuses the others.
struct PendingInvites: Sendable {
    /// Invites waited for at once; the oldest is given up beyond that. It bounds memory, and nothing is lost but repeats.
    static let maximum = 256
    /// How long after each sending the next one comes: from three seconds, against loss, to every day for two weeks,
    /// as long as a bundle is good, against a recipient who was away longer than the service retains.
    static let pauses: [Duration] =
        ([3, 10, 30, 120, 480, 1_920, 7_680, 30_720] + repeatElement(86_400, count: 13)).map { .seconds($0) }

    private static let prefix = "invite/"
    private static let stored = Stored(machine: "inbox-v1")
    private var entries: [UInt64: StoredInvite] = [:]
    private var changes: [Record] = []

    /// When the next one is sent again.
    var nextDue: Timestamp? { entries.values.lazy.map(\.due).min() }

    /// Remembers an invite that is sent now.
    mutating func add(_ routed: Routed, for conversation: ConversationID, now: Timestamp) {
        if entries.count >= Self.maximum, let oldest = entries.keys.min() { remove(oldest) }
        let number = (entries.keys.max() ?? 0) + 1
        store(number, StoredInvite(conversation: conversation, routed: routed, due: now + Self.pauses[0]))
    }

    /// The other side of a conversation has answered.
    mutating func end(_ conversation: ConversationID) {
        for (number, _) in entries.filter({ $0.value.conversation == conversation }).sorted(by: { $0.key < $1.key }) {
            remove(number)
        }
    }

    /// Sends what is due, once each however long ago it was, and gives up what was sent often enough.
    mutating func sendDue(in step: inout Step) {
        for (number, invite) in entries.filter({ $0.value.due <= step.now }).sorted(by: { $0.key < $1.key }) {
            step.send(invite.routed)
            var next = invite
            next.repeats += 1
            guard next.repeats < Self.pauses.count else {
                remove(number)
                continue
            }
            next.due = step.now + Self.pauses[next.repeats]
            store(number, next)
        }
    }

    private mutating func store(_ number: UInt64, _ invite: StoredInvite) {
        entries[number] = invite
        changes.append(Self.stored.record(Self.key(number), invite))
    }

    private mutating func remove(_ number: UInt64) {
        entries[number] = nil
        changes.append(Record(Self.key(number), nil))
    }

    /// The records that changed since the last call.
    mutating func takeChanges() -> [Record] {
        defer { changes = [] }
        return changes
    }

    /// Takes up a record of an earlier run; false where it is not an invite.
    mutating func restore(_ record: Record) throws(Refusal) -> Bool {
        guard record.key.hasPrefix(Self.prefix) else { return false }
        let invite: StoredInvite = try Self.stored.message(record)
        guard entries.count < Self.maximum, invite.repeats < Self.pauses.count,
            let number = UInt64(record.key.dropFirst(Self.prefix.count)), Self.key(number) == record.key,
            number <= Stored.largestCount
        else { throw Self.stored.unreadable(record.key) }
        entries[number] = invite
        return true
    }

    private static func key(_ number: UInt64) -> String { prefix + String(number) }
}

/// An invite as it is stored.
private struct StoredInvite: ProtoMessage {
    /// Field 1.
    let conversation: ConversationID
    /// Field 2 the address, field 3 the route, field 4 the payload.
    let routed: Routed
    /// Field 5, in milliseconds.
    var due: Timestamp
    /// Field 6: how often it was sent again.
    var repeats = 0

    init(conversation: ConversationID, routed: Routed, due: Timestamp) {
        (self.conversation, self.routed, self.due) = (conversation, routed, due)
    }

    init(decoding bytes: Bytes) throws(WireError) {
        var (conversation, address, route, payload) = ("", "", "", Bytes())
        var (due, repeats): (UInt64, UInt64) = (0, 0)
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: conversation = try reader.string(limit: Route.maximumID)
            case 2: address = try reader.string(limit: Route.maximumID)
            case 3: route = try reader.string(limit: Route.maximumID)
            case 4: payload = bytes.slice(try reader.range())
            case 5: due = try reader.uint64()
            case 6: repeats = try reader.uint64()
            default: continue
            }
        }
        self.init(
            conversation: ConversationID(conversation),
            routed: Routed(DeliveryAddress(address), Route(route), payload: payload), due: Timestamp(milliseconds: due))
        self.repeats = Int(clamping: repeats)
    }

    var size: Int {
        ProtoSize.field(1, count: conversation.text.utf8.count)
            + ProtoSize.field(2, count: routed.address.text.utf8.count)
            + ProtoSize.field(3, count: routed.route.id.utf8.count) + ProtoSize.field(4, count: routed.payload.count)
            + ProtoSize.field(5, due.milliseconds) + ProtoSize.field(6, UInt64(repeats))
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, conversation.text)
        output.append(field: 2, routed.address.text)
        output.append(field: 3, routed.route.id)
        output.append(field: 4, routed.payload)
        output.append(field: 5, due.milliseconds)
        output.append(field: 6, UInt64(repeats))
    }
}
