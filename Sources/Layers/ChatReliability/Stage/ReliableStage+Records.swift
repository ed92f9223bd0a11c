import ChatCodec
public import ChatModel
import ChatRecords

// How a reliable conversation is stored: the records of its parts under a prefix each, and one of its own.
extension ReliableStage {
    private static var stored: RecordCodec { RecordCodec(machine: "reliable") }
    private static var innerPrefix: String { "i/" }
    static var channelPrefix: String { "s/" }
    private static var segmentsPrefix: String { "g/" }

    /// Makes the conversation again from its records; wake it with `Signal.restored` next.
    ///
    /// - Parameters:
    ///   - records: all records of an earlier run.
    ///   - constants: those with which it was made.
    ///   - restore: makes the inner conversation again.
    public init(
        restoring records: [Record], _ constants: ReliableConstants,
        inner restore: ([Record]) throws(Refusal) -> Inner
    ) throws(Refusal) {
        let (record, parts) = try Self.stored.sort(
            records, Self.innerPrefix, Self.channelPrefix, Self.segmentsPrefix)
        let state: State = try Self.stored.message(record)
        let channel = try SDSChannel(
            restoring: RecordCodec.inner(parts[1], Self.channelPrefix), settings: constants.sds,
            prefix: Self.channelPrefix)
        let names = ReliableNames(own: channel.participant, peer: state.peerName, channel: channel.channel)
        self.init(
            try restore(RecordCodec.inner(parts[0], Self.innerPrefix)), names, constants, state.role,
            peer: state.peer, channel,
            try Reassembler(
                restoring: RecordCodec.inner(parts[2], Self.segmentsPrefix), limits: constants.reassembly))
        contents = SentContents(channel.unacknowledgedTags)
        isStored = true
    }

    /// The records that changed since the last call.
    public mutating func takeChanges() -> [Record] {
        var changes = channel.takeChanges()
        changes += RecordCodec.outer(inner.takeChanges(), Self.innerPrefix)
        changes += RecordCodec.outer(reassembler.takeChanges(), Self.segmentsPrefix)
        if !isStored {
            changes.append(
                Self.stored.record(RecordCodec.stateKey, State(peerName: names.peer, peer: peer, role: role)))
            isStored = true
        }
        return changes
    }

    /// The constant state, beside that which the channel stores.
    private struct State: ProtoMessage {
        /// Field 1: the other side's name in messages.
        var peerName: Identifier
        /// Field 2: its identity, if there is one.
        var peer: PublicKey?
        /// Field 3: whether this side is the responder.
        var role: Role

        init(peerName: Identifier, peer: PublicKey?, role: Role) {
            (self.peerName, self.peer, self.role) = (peerName, peer, role)
        }

        init(decoding bytes: Bytes) throws(WireError) {
            self.init(peerName: Identifier(), peer: nil, role: .initiator)
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: peerName = try Identifier(&reader, bytes)
                case 2:
                    let range = try reader.range()
                    peer = range.isEmpty ? nil : PublicKey(bytes.slice(range).array)
                case 3: role = try reader.bool() ? .responder : .initiator
                default: continue
                }
            }
        }

        private var peerBytes: Bytes { Bytes(peer?.bytes ?? []) }

        var size: Int {
            ProtoSize.field(1, count: peerName.count) + ProtoSize.field(2, count: peerBytes.count)
                + ProtoSize.field(3, role == .responder ? 1 : 0)
        }

        @_lifetime(output: copy output)
        func write(to output: inout OutputSpan<UInt8>) {
            output.append(field: 1, peerName)
            output.append(field: 2, peerBytes)
            output.append(field: 3, role == .responder ? 1 : 0)
        }
    }
}
