import ChatCodec
import ChatModel

/// A ratchet as it is stored, without the keys of missing payloads, which have a record each.
struct RatchetState: ProtoMessage {
    /// Secrets and keys of 32 bytes; an empty one is absent. Earlier keys are joined, oldest first.
    var (root, own, remote, sending, receiving, earlierKeys) = (Bytes(), Bytes(), Bytes(), Bytes(), Bytes(), Bytes())
    var (sent, received, previouslySent, nextSerial) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    /// Absent in states that were stored before there were any.
    var routes: RatchetRoutes.State?

    init() {}

    init(decoding bytes: Bytes) throws(WireError) {
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: root = bytes.slice(try reader.range())
            case 2: own = bytes.slice(try reader.range())
            case 3: remote = bytes.slice(try reader.range())
            case 4: sending = bytes.slice(try reader.range())
            case 5: receiving = bytes.slice(try reader.range())
            case 6: sent = try reader.uint64()
            case 7: received = try reader.uint64()
            case 8: previouslySent = try reader.uint64()
            case 9: earlierKeys = bytes.slice(try reader.range())
            case 10: nextSerial = try reader.uint64()
            case 11: routes = try RatchetRoutes.State(decoding: bytes.slice(try reader.range()))
            default: continue
            }
        }
    }

    // Written out: this is done for every payload.
    var size: Int {
        ProtoSize.field(1, count: root.count) + ProtoSize.field(2, count: own.count)
            + ProtoSize.field(3, count: remote.count) + ProtoSize.field(4, count: sending.count)
            + ProtoSize.field(5, count: receiving.count) + ProtoSize.field(6, sent) + ProtoSize.field(7, received)
            + ProtoSize.field(8, previouslySent) + ProtoSize.field(9, count: earlierKeys.count)
            + ProtoSize.field(10, nextSerial) + (routes.map { ProtoSize.present(11, count: $0.size) } ?? 0)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, root)
        output.append(field: 2, own)
        output.append(field: 3, remote)
        output.append(field: 4, sending)
        output.append(field: 5, receiving)
        output.append(field: 6, sent)
        output.append(field: 7, received)
        output.append(field: 8, previouslySent)
        output.append(field: 9, earlierKeys)
        output.append(field: 10, nextSerial)
        if let routes { output.append(present: 11, routes) }
    }
}

/// The key of one missing payload as it is stored; the record's key holds its serial number.
struct SkippedKeyState: ProtoMessage {
    /// The ratchet key of its chain, 32 bytes, and its message key, 32 bytes.
    var (key, secret) = (Bytes(), Bytes())
    /// Its number in the chain.
    var number: UInt32 = 0
    /// Its sequence on the route; 0 where it was stored without.
    var sequence: UInt64 = 0

    init(key: Bytes, number: UInt32, secret: Bytes, sequence: UInt64) {
        (self.key, self.number, self.secret, self.sequence) = (key, number, secret, sequence)
    }

    init(decoding bytes: Bytes) throws(WireError) {
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: key = bytes.slice(try reader.range())
            case 2: number = try reader.uint32()
            case 3: secret = bytes.slice(try reader.range())
            case 4: sequence = try reader.uint64()
            default: continue
            }
        }
    }

    var size: Int {
        ProtoSize.field(1, count: key.count) + ProtoSize.field(2, UInt64(number))
            + ProtoSize.field(3, count: secret.count) + ProtoSize.field(4, sequence)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, key)
        output.append(field: 2, UInt64(number))
        output.append(field: 3, secret)
        output.append(field: 4, sequence)
    }
}
