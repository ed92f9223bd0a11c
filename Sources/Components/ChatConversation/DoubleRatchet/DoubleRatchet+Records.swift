import ChatCodec
import ChatCrypto
import ChatModel
import ChatRecords

// Storing: a state for the machine that owns the ratchet, and a record for each key of a missing payload.
extension DoubleRatchet {
    /// The prefix of such a record's key; the serial number in decimal follows.
    static let skippedPrefix = "skipped/"

    var state: RatchetState {
        var state = RatchetState()
        (state.root, state.own) = (bytes(root), bytes(own.secret))
        if let remote { state.remote = Bytes(headRoom: 0, count: RatchetKey.size) { remote.write(to: &$0) } }
        state.sending = sending.map { bytes($0.key) } ?? []
        state.receiving = receiving.map { bytes($0.key) } ?? []
        (state.sent, state.received, state.previouslySent) = (UInt64(sent), UInt64(received), UInt64(previouslySent))
        if !earlierKeys.isEmpty {
            state.earlierKeys = Bytes(headRoom: 0, count: earlierKeys.count * RatchetKey.size) { output in
                for key in earlierKeys { key.write(to: &output) }
            }
        }
        state.nextSerial = skipped.nextSerial
        state.routes = routes.state
        return state
    }

    /// The records of keys that came or went since the last call.
    mutating func takeSkippedChanges(_ stored: RecordCodec) -> [Record] {
        skipped.takeChanges().map { change in
            let key = Self.skippedPrefix + String(change.serial)
            guard let secret = change.secret else { return Record(key, nil) }
            let place = change.place
            return stored.record(
                key,
                SkippedKeyState(
                    key: Bytes(place.key.publicKey.bytes), number: place.number, secret: bytes(secret),
                    sequence: change.sequence))
        }
    }

    /// Makes a ratchet from its state and the records of its keys; everything must have its size.
    init(
        restoring state: RatchetState, skipped records: [Record], _ parameters: Parameters, _ stored: RecordCodec
    ) throws(Refusal) {
        let unreadable = stored.unreadable("state")
        guard let root = secret(state.root), let own = secret(state.own) else { throw unreadable }
        do { try self.init(root, X25519.keyPair(own), parameters) } catch { throw unreadable }

        if !state.remote.isEmpty {
            guard let key = RatchetKey(state.remote.span) else { throw unreadable }
            remote = key
        }
        for (bytes, chain) in [(state.sending, \Self.sending), (state.receiving, \Self.receiving)] where !bytes.isEmpty
        {
            guard let key = secret(bytes), remote != nil else { throw unreadable }
            self[keyPath: chain] = Chain(key)
        }
        let longest = UInt64(1) << 32
        guard max(state.sent, state.received, state.previouslySent) <= longest,
            state.nextSerial <= RecordCodec.largestCount
        else { throw unreadable }
        (sent, received, previouslySent) = (Int(state.sent), Int(state.received), Int(state.previouslySent))
        earlierKeys = try Self.keys(state.earlierKeys, unreadable)
        skipped = try Self.skippedKeys(records, state.nextSerial, parameters, stored)
        try restoreRoutes(state.routes, unreadable)
        isChanged = false
    }

    /// A conversation that was stored without them goes on without secrets, with sequences that were not used.
    private mutating func restoreRoutes(_ stored: RatchetRoutes.State?, _ unreadable: Refusal) throws(Refusal) {
        guard let stored else { return routes = .migrated }
        guard let restored = RatchetRoutes(stored, newestRoot: sending == nil ? nil : root) else { throw unreadable }
        routes = restored
    }

    private static func keys(_ joined: Bytes, _ unreadable: Refusal) throws(Refusal) -> [RatchetKey] {
        guard joined.count <= maximumEarlierKeys * RatchetKey.size, joined.count % RatchetKey.size == 0 else {
            throw unreadable
        }
        return stride(from: 0, to: joined.count, by: RatchetKey.size).compactMap {
            RatchetKey(joined.slice($0..<$0 + RatchetKey.size).span)
        }
    }

    private static func skippedKeys(
        _ records: [Record], _ nextSerial: UInt64, _ parameters: Parameters, _ stored: RecordCodec
    ) throws(Refusal) -> SkippedKeys {
        guard records.count <= parameters.maximumSkippedKeys else { throw stored.unreadable(skippedPrefix) }
        var keys: [(SkippedKeys.Place, SkippedKeys.Entry)] = []
        for record in records {
            let state: SkippedKeyState = try stored.message(record)
            guard let serial = UInt64(record.key.dropFirst(skippedPrefix.count)), let key = RatchetKey(state.key.span),
                let secret = secret(state.secret)
            else { throw stored.unreadable(record.key) }
            let entry = SkippedKeys.Entry(serial: serial, secret: secret, sequence: state.sequence)
            keys.append((SkippedKeys.Place(key: key, number: state.number), entry))
        }
        guard let skipped = SkippedKeys(keys, nextSerial: nextSerial) else { throw stored.unreadable(skippedPrefix) }
        return skipped
    }
}

/// A stored secret needs its bytes; who stores records encrypts them.
private func bytes(_ secret: Secret) -> Bytes { secret.lend { Bytes(copying: $0) } }

private func secret(_ bytes: Bytes) -> Secret? {
    bytes.count == DoubleRatchet.secretSize ? Secret(copying: bytes.span) : nil
}
