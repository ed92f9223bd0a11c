public import ChatModel
import ChatRecords

// How an inbox is stored: a record for each live key, for each one remembered, and for each contact not yet invited.
extension InboxV1 {
    /// The records that changed since the last call.
    public mutating func takeChanges() -> [Record] { keys.takeChanges() + contacts.takeChanges() }

    /// Takes up all records of an earlier run; one that cannot be read refuses them all.
    public mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = self
        for record in records {
            if try trial.keys.restore(record, naming: profile.keyName) { continue }
            if try trial.contacts.restore(record) { continue }
            throw RecordCodec(machine: profile.name).unreadable(record.key, .unsupported)
        }
        self = trial
    }
}
