import ChatCodec
public import ChatModel
import ChatRecords

// Persistence (RC-03): everything as records, which the caller stores before anything leaves.
extension ReliableChannel {
    private static let stored = RecordCodec(machine: "reliable channel")
    static let channelPrefix = "s/"
    private static let (segmentsPrefix, requestPrefix) = ("g/", "request/")

    /// Makes a channel again from all its records; call ``resume(since:now:)`` next.
    ///
    /// - Parameters:
    ///   - records: all records of an earlier run.
    ///   - configuration: the one with which it was made.
    public init(
        restoring records: [Record], _ configuration: ChannelConfiguration = ChannelConfiguration()
    ) throws(Refusal) {
        let (record, parts) = try Self.stored.sort(
            records, Self.channelPrefix, Self.segmentsPrefix, Self.requestPrefix)
        let state: State = try Self.stored.message(record)
        try self.init(
            DeliveryAddress(state.address), configuration,
            try SDSChannel(
                restoring: RecordCodec.inner(parts[0], Self.channelPrefix), settings: configuration.sds,
                prefix: Self.channelPrefix),
            try Reassembler(
                restoring: RecordCodec.inner(parts[1], Self.segmentsPrefix), limits: ChannelConfiguration.reassembly))
        guard state.lastRequest <= RecordCodec.largestCount else { throw Self.stored.unreadable(RecordCodec.stateKey) }
        (lastRequest, lastNanoseconds) = (state.lastRequest, state.lastNanoseconds)
        quota = configuration.rateLimit.map { rate in
            EpochQuota(rate, epoch: state.epoch, used: min(Int(clamping: state.used), max(0, rate.payloads)))
        }
        for record in parts[2] {
            let number = try Self.stored.count(in: record.key, behind: Self.requestPrefix)
            let request: StoredRequest = try Self.stored.message(record)
            insert(request.value, RequestID(number: number))
        }
        changes.state = false
    }

    /// The records that changed since the last call, in the order in which they are to be applied.
    public mutating func takeChanges() -> [Record] {
        var records = channel.takeChanges()
        records += RecordCodec.outer(reassembler.takeChanges(), Self.segmentsPrefix)
        for request in changes.requests.sorted() {
            let key = Self.requestPrefix + String(request.number)
            guard let value = requests[request] else {
                records.append(Record(key, nil))
                continue
            }
            records.append(Self.stored.record(key, StoredRequest(value: value)))
        }
        if changes.state {
            let state = State(
                address: address.text, lastRequest: lastRequest, lastNanoseconds: lastNanoseconds,
                epoch: quota?.epoch ?? 0, used: UInt64(quota?.used ?? 0))
            records.append(Self.stored.record(RecordCodec.stateKey, state))
        }
        changes = Changes()
        changes.state = false
        return records
    }

    /// The state that is stored beside requests and the parts' own records.
    private struct State: ProtoMessage {
        /// Field 1.
        var address: String
        /// Fields 2 to 5.
        var lastRequest, lastNanoseconds, epoch, used: UInt64

        init(address: String, lastRequest: UInt64, lastNanoseconds: UInt64, epoch: UInt64, used: UInt64) {
            (self.address, self.lastRequest, self.lastNanoseconds) = (address, lastRequest, lastNanoseconds)
            (self.epoch, self.used) = (epoch, used)
        }

        init(decoding bytes: Bytes) throws(WireError) {
            self.init(address: "", lastRequest: 0, lastNanoseconds: 0, epoch: 0, used: 0)
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: address = try reader.string(limit: 1_024)
                case 2: lastRequest = try reader.uint64()
                case 3: lastNanoseconds = try reader.uint64()
                case 4: epoch = try reader.uint64()
                case 5: used = try reader.uint64()
                default: continue
                }
            }
        }

        var size: Int {
            ProtoSize.field(1, count: address.utf8.count) + ProtoSize.field(2, lastRequest)
                + ProtoSize.field(3, lastNanoseconds) + ProtoSize.field(4, epoch) + ProtoSize.field(5, used)
        }

        @_lifetime(output: copy output)
        func write(to output: inout OutputSpan<UInt8>) {
            output.append(field: 1, address)
            output.append(field: 2, lastRequest)
            output.append(field: 3, lastNanoseconds)
            output.append(field: 4, epoch)
            output.append(field: 5, used)
        }
    }

    /// A request as it is stored: its segments, those dispatched and those acknowledged, each with its id.
    private struct StoredRequest: ProtoMessage {
        var value: Request

        init(value: Request) {
            self.value = value
        }

        init(decoding bytes: Bytes) throws(WireError) {
            value = Request(ids: [])
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: value.ids.append(try Identifier(&reader, bytes))
                case 2: value.dispatched.insert(try Identifier(&reader, bytes))
                case 3: value.acknowledged.insert(try Identifier(&reader, bytes))
                default: continue
                }
            }
        }

        private var fields: [(Int, [Identifier])] {
            [(1, value.ids), (2, value.dispatched.sorted()), (3, value.acknowledged.sorted())]
        }

        var size: Int {
            fields.reduce(0) { size, field in
                field.1.reduce(size) { $0 + ProtoSize.present(field.0, count: $1.count) }
            }
        }

        @_lifetime(output: copy output)
        func write(to output: inout OutputSpan<UInt8>) {
            for (number, ids) in fields { for id in ids { output.append(field: number, id) } }
        }

        static func == (left: StoredRequest, right: StoredRequest) -> Bool { left.value.ids == right.value.ids }

        func hash(into hasher: inout Hasher) { hasher.combine(value.ids) }
    }
}
