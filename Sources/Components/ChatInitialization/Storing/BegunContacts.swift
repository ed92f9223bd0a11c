import ChatCodec
import ChatModel
import ChatRecords

/// The data that an initialization keeps of each contact between `begin` and `invite`; it survives restarts.
///
/// Mostly the two fall into one step, of which nothing is stored.
struct BegunContacts: Sendable {
    /// Contacts kept at once: a client has several only where conversations begin and say nothing.
    static let maximum = 4_096

    private static let prefix = "contact/"
    private let stored: RecordCodec
    private var live: [ContactID: Secret] = [:]
    /// Those that have a record.
    private var recorded: Set<ContactID> = []
    private var changed: Set<ContactID> = []

    init(machine: String) {
        stored = RecordCodec(machine: machine)
    }

    /// Keeps what the invite of a contact will need.
    mutating func add(_ contact: ContactID, _ secret: Secret) throws(Refusal) {
        guard live.count < Self.maximum else {
            throw Refusal(.unable, InitializationCause.tooManyContacts(limit: Self.maximum))
        }
        live[contact] = secret
        changed.insert(contact)
    }

    /// The data kept of a contact; refuses a contact that was invited, has ended, or never began.
    func find(_ contact: ContactID) throws(Refusal) -> Secret {
        guard let secret = live[contact] else { throw Refusal(.unable, InitializationCause.unknownContact(contact)) }
        return secret
    }

    /// Forgets a contact.
    mutating func end(_ contact: ContactID) {
        guard live.removeValue(forKey: contact) != nil else { return }
        changed.insert(contact)
    }

    /// The records that changed since the last call.
    mutating func takeChanges() -> [Record] {
        var records: [Record] = []
        for contact in changed.sorted() {
            if let secret = live[contact] {
                records.append(stored.record(key(contact), StoredItem(bytes: secret.lend { Bytes(copying: $0) })))
                recorded.insert(contact)
            } else if recorded.remove(contact) != nil {
                records.append(Record(key(contact), nil))
            }
        }
        changed = []
        return records
    }

    /// Takes up a record of an earlier run; false where it is of something else.
    mutating func restore(_ record: Record) throws(Refusal) -> Bool {
        guard record.key.hasPrefix(Self.prefix) else { return false }
        let item: StoredItem = try stored.message(record)
        guard live.count < Self.maximum, let number = UInt64(record.key.dropFirst(Self.prefix.count)),
            key(ContactID(number)) == record.key, number <= RecordCodec.largestCount, !item.bytes.isEmpty
        else { throw stored.unreadable(record.key) }
        live[ContactID(number)] = Secret(copying: item.bytes.span)
        recorded.insert(ContactID(number))
        return true
    }

    private func key(_ contact: ContactID) -> String { Self.prefix + String(contact.number) }
}
