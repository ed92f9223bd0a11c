import ChatCodec
import ChatModel

// `google.protobuf.Struct`, `Value` and `ListValue`: messages that nest as the values do. A message may come in pieces,
// and each piece costs no more than its bytes.

/// Reads the pieces of a `Struct`.
struct StructReader {
    /// So many keys are compared with each other; for more a table is made.
    private static let few = 8
    private var pairs: [(key: String, value: JSON)] = []

    /// What came so far.
    var object: JSON.Object {
        guard pairs.count <= Self.few else { return JSON.Object(pairs: pairs) }
        var object = JSON.Object()
        for (key, value) in pairs { object[key] = value }
        return object
    }

    /// Reads a piece; the depth counts objects and lists, this one included.
    mutating func merge(_ bytes: Bytes, depth: Int = 1) throws(WireError) {
        guard depth <= PacketObject.maximumDepth else { throw .tooDeep(limit: PacketObject.maximumDepth, at: 0) }
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            guard field == 1, reader.wireType == WireForm.delimited else { continue }
            pairs.append(try Self.member(bytes.slice(try reader.range()), depth: depth))
        }
    }

    private static func member(_ bytes: Bytes, depth: Int) throws(WireError) -> (key: String, value: JSON) {
        var (key, value) = ("", ValueReader())
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.delimited): key = try reader.text()
            case (2, WireForm.delimited): try value.merge(bytes.slice(try reader.range()), depth: depth)
            default: continue
            }
        }
        return (key, value.value)
    }
}

/// Reads the pieces of a `Value`: its last arm counts. One without an arm is null.
private struct ValueReader {
    private var scalar = JSON.null
    private var object: StructReader?
    private var list: [JSON]?

    var value: JSON { object.map { .object($0.object) } ?? list.map { .array($0) } ?? scalar }

    mutating func merge(_ bytes: Bytes, depth: Int) throws(WireError) {
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.varint):
                _ = try reader.uint64()
                set(.null)
            case (2, WireForm.fixed64):
                set(try Self.number(Double(bitPattern: try reader.fixed64()), at: reader.offset))
            case (3, WireForm.delimited): set(.string(try reader.text()))
            case (4, WireForm.varint): set(.bool(try reader.bool()))
            case (5, WireForm.delimited):
                var merged = object ?? StructReader()
                (object, list) = (nil, nil)
                try merged.merge(bytes.slice(try reader.range()), depth: depth + 1)
                object = merged
            case (6, WireForm.delimited):
                var merged = list ?? []
                (object, list) = (nil, nil)
                try Self.list(bytes.slice(try reader.range()), into: &merged, depth: depth + 1)
                list = merged
            default: continue
            }
        }
    }

    private mutating func set(_ value: JSON) {
        (scalar, object, list) = (value, nil, nil)
    }

    private static func list(_ bytes: Bytes, into list: inout [JSON], depth: Int) throws(WireError) {
        guard depth <= PacketObject.maximumDepth else { throw .tooDeep(limit: PacketObject.maximumDepth, at: 0) }
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            guard field == 1, reader.wireType == WireForm.delimited else { continue }
            var item = ValueReader()
            try item.merge(bytes.slice(try reader.range()), depth: depth)
            list.append(item.value)
        }
    }

    /// The number of a double. Up to 2⁵³ its shortest text is its value; beyond, a double stands for all numbers near to
    /// it, and what it stands for is its shortest text.
    private static func number(_ value: Double, at offset: Int) throws(WireError) -> JSON {
        guard value.isFinite else { throw .badNumber(at: offset) }
        guard value.magnitude <= 0x1p53, value != 0 || value.sign == .plus, let integer = Int64(exactly: value)
        else { return .number(value) }
        return .integer(integer)
    }
}

extension JSON {
    /// The number as the double that is nearest to it; nil where that is infinite.
    var nearestDouble: Double? {
        guard let value = double, value.isFinite else { return nil }
        return value
    }

    /// Levels of objects and lists, itself included; counting ends behind a limit.
    func isDeeper(than limit: Int) -> Bool {
        switch self {
        case .array(let list): limit == 0 || list.contains { $0.isDeeper(than: limit - 1) }
        case .object(let object): limit == 0 || object.members.contains { $0.value.isDeeper(than: limit - 1) }
        default: false
        }
    }
}

/// An encoded `Struct`: encoding it once gives its size too.
extension PacketObject {
    /// The fields of the message; members in the order of the bytes of their keys.
    var encodedStruct: Bytes {
        var output: [UInt8] = []
        output.reserveCapacity(64)
        Self.write(object, into: &output)
        return Bytes(output)
    }

    private static func write(_ object: JSON.Object, into output: inout [UInt8]) {
        let members = object.members
        let sorted =
            members.count < 2
            ? members : members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for member in sorted {
            delimited(1, into: &output) { output in
                text(1, member.key, into: &output)
                delimited(2, into: &output) { write(value: member.value, into: &$0) }
            }
        }
    }

    private static func write(value: JSON, into output: inout [UInt8]) {
        switch value {
        case .null: output += [0x08, 0]
        case .bool(let flag): output += [0x20, flag ? 1 : 0]
        case .string(let string): text(3, string, into: &output)
        case .object(let object): delimited(5, into: &output) { write(object, into: &$0) }
        case .array(let list):
            delimited(6, into: &output) { output in
                for item in list { delimited(1, into: &output) { write(value: item, into: &$0) } }
            }
        case .integer, .unsigned, .number, .decimal:
            output.append(0x11)
            let bits = (value.nearestDouble ?? 0).bitPattern
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                output.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        }
    }

    private static func text(_ field: UInt8, _ text: String, into output: inout [UInt8]) {
        output.append(field << 3 | 2)
        varint(text.utf8.count, into: &output)
        output.append(contentsOf: text.utf8)
    }

    /// Writes a message field. One byte is kept for the number of its bytes, which is known behind them: most messages
    /// are short, and only the bytes of longer ones move.
    private static func delimited(_ field: UInt8, into output: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        output.append(field << 3 | 2)
        let start = output.count
        output.append(0)
        body(&output)
        let length = output.count - start - 1
        guard length >= 0x80 else {
            output[start] = UInt8(length)
            return
        }
        var prefix: [UInt8] = []
        varint(length, into: &prefix)
        output.replaceSubrange(start...start, with: prefix)
    }

    private static func varint(_ value: Int, into output: inout [UInt8]) {
        var rest = UInt(bitPattern: value)
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
    }
}
