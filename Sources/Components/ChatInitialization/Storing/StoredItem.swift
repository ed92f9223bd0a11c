import ChatCodec
import ChatModel

/// A small piece of state as it is stored: some bytes, a time, a note. What is zero is left out.
struct StoredItem: ProtoMessage {
    /// Field 1.
    var bytes = Bytes()
    /// Field 2, in milliseconds; 0 for none.
    var time: UInt64 = 0
    /// Field 3.
    var note: UInt64 = 0

    init(bytes: Bytes = [], time: Timestamp? = nil, note: UInt64 = 0) {
        (self.bytes, self.time, self.note) = (bytes, time?.milliseconds ?? 0, note)
    }

    init(decoding encoding: Bytes) throws(WireError) {
        var reader = ProtoReader(encoding.span)
        while let field = try reader.next() {
            switch field {
            case 1: bytes = encoding.slice(try reader.range())
            case 2: time = try reader.uint64()
            case 3: note = try reader.uint64()
            default: continue
            }
        }
    }

    var size: Int {
        ProtoSize.field(1, count: bytes.count) + ProtoSize.field(2, time) + ProtoSize.field(3, note)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, bytes)
        output.append(field: 2, time)
        output.append(field: 3, note)
    }
}
