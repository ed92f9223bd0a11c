package import ChatCodec
package import ChatModel

/// How machines store their pieces: a version of one byte, then a proto3 message.
package struct RecordCodec {
    /// The version that is written and read.
    package static let version: UInt8 = 1
    /// The key of the one record that every machine has.
    package static let stateKey = "state"
    /// The largest number that is read of something that counts up: what counts on from it never overflows.
    package static let largestCount = UInt64.max >> 1
    /// The machine's name, for refusals.
    package let machine: String

    /// Names the machine.
    package init(machine: String) {
        self.machine = machine
    }

    /// A record of a message.
    package func record(_ key: String, _ message: some ProtoMessage) -> Record {
        Record(
            key,
            Bytes(headRoom: 0, count: 1 + message.size) { output in
                output.append(Self.version)
                message.write(to: &output)
            })
    }

    /// The message of a record; one of another version is unsupported, one that does not decode is invalid.
    package func message<Message: ProtoMessage>(_ record: Record) throws(Refusal) -> Message {
        guard let bytes = record.bytes, !bytes.isEmpty else { throw unreadable(record.key) }
        guard bytes[0] == Self.version else { throw unreadable(record.key, .unsupported) }
        do {
            return try Message(decoding: bytes.slice(1..<bytes.count))
        } catch {
            throw unreadable(record.key)
        }
    }

    /// The number of a record, which is the rest of its key; one that exceeds any count is unreadable.
    package func count(in key: String, behind prefix: String) throws(Refusal) -> UInt64 {
        guard key.hasPrefix(prefix), let number = UInt64(key.dropFirst(prefix.count)), number <= Self.largestCount
        else {
            throw unreadable(key)
        }
        return number
    }

    /// Sorts all records of a machine into its one state and those that have one of some prefixes, by prefix.
    package func sort(
        _ records: [Record], _ prefixes: String...
    ) throws(Refusal) -> (state: Record, others: [[Record]]) {
        var (state, others): (Record?, _) = (nil, [[Record]](repeating: [], count: prefixes.count))
        for record in records {
            if record.key == Self.stateKey, state == nil {
                state = record
            } else if let index = prefixes.firstIndex(where: { record.key.hasPrefix($0) }) {
                others[index].append(record)
            } else {
                throw unreadable(record.key, .unsupported)
            }
        }
        guard let state else { throw unreadable(Self.stateKey) }
        return (state, others)
    }

    /// The records of an inner machine, under its own keys.
    package static func inner(_ records: [Record], _ prefix: String) -> [Record] {
        records.map { Record(String($0.key.dropFirst(prefix.count)), $0.bytes) }
    }

    /// The records of an inner machine, under those of the outer one.
    package static func outer(_ records: [Record], _ prefix: String) -> [Record] {
        records.map { Record(prefix + $0.key, $0.bytes) }
    }

    /// The refusal of a record.
    package func unreadable(_ key: String, _ outcome: Refusal.Outcome = .invalid) -> Refusal {
        Refusal(outcome, CommonCause.unreadableRecord(key, machine: machine))
    }
}
