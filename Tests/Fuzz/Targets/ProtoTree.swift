import ChatModel

/// A proto3 message as fields that can be changed and written again, whatever it means.
struct ProtoTree {
    /// What a field holds.
    indirect enum Value {
        case varint(UInt64)
        /// So many bytes, under wire type 1 or 5.
        case fixed([UInt8])
        case bytes([UInt8])
        case message(ProtoTree)
        case group(ProtoTree)
        /// Bytes that announce another length than they have.
        case cut([UInt8], announced: UInt64)
    }

    var fields: [(number: UInt64, value: Value)] = []

    init(_ fields: [(number: UInt64, value: Value)] = []) {
        self.fields = fields
    }

    /// The fields of a message without groups; nil for bytes that are none.
    init?(_ bytes: [UInt8], depth: Int = 6) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let tag = Self.varint(&rest), tag >> 3 > 0 else { return nil }
            switch tag & 7 {
            case 0:
                guard let value = Self.varint(&rest) else { return nil }
                fields.append((tag >> 3, .varint(value)))
            case 1, 5:
                let count = tag & 7 == 1 ? 8 : 4
                guard rest.count >= count else { return nil }
                fields.append((tag >> 3, .fixed(Array(rest.prefix(count)))))
                rest = rest.dropFirst(count)
            case 2:
                guard let count = Self.varint(&rest), count <= UInt64(rest.count) else { return nil }
                let value = Array(rest.prefix(Int(count)))
                rest = rest.dropFirst(Int(count))
                let inner = depth > 0 && value.count > 1 ? ProtoTree(value, depth: depth - 1) : nil
                fields.append((tag >> 3, inner.map { .message($0) } ?? .bytes(value)))
            default: return nil
            }
        }
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    /// The message as bytes.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for (number, value) in fields {
            let wireType: UInt64 =
                switch value {
                case .varint: 0
                case .fixed(let bytes): bytes.count == 8 ? 1 : 5
                case .bytes, .message, .cut: 2
                case .group: 3
                }
            bytes.append(varint: number << 3 | wireType)
            switch value {
            case .varint(let value): bytes.append(varint: value)
            case .fixed(let value): bytes += value
            case .bytes(let value): bytes.append(delimited: value)
            case .message(let tree): bytes.append(delimited: tree.encoded)
            case .group(let tree):
                bytes += tree.encoded
                bytes.append(varint: number << 3 | 4)
            case .cut(let value, let announced):
                bytes.append(varint: announced)
                bytes += value
            }
        }
        return bytes
    }

    /// Changes one field, here or inside: its value, its kind, its place, or how often it is there.
    mutating func change(_ choices: inout Choices, depth: Int = 8) {
        guard !fields.isEmpty, !choices.isOne(of: 10) else {
            return fields.append((UInt64(1 + choices.below(21)), value(&choices)))
        }
        let place = choices.below(fields.count)
        switch (choices.below(8), fields[place].value) {
        case (0, _): fields.remove(at: place)
        case (1, let value): fields.insert((fields[place].number, value), at: choices.below(fields.count + 1))
        case (2, _): fields[place].number = UInt64(1 + choices.below(21))
        case (3, _): fields[place].value = value(&choices)
        case (_, .message(var tree)) where depth > 0:
            tree.change(&choices, depth: depth - 1)
            fields[place].value = .message(tree)
        case (_, .group(var tree)) where depth > 0:
            tree.change(&choices, depth: depth - 1)
            fields[place].value = .group(tree)
        case (_, .varint(let value)): fields[place].value = .varint(choices.number(near: value))
        case (4, .bytes(let value)):
            fields[place].value = .cut(value, announced: choices.number(near: UInt64(value.count)))
        case (_, .bytes(let value)): fields[place].value = .bytes(choices.nearly(value))
        default: fields[place].value = value(&choices)
        }
    }

    private func value(_ choices: inout Choices) -> Value {
        switch choices.below(6) {
        case 0, 1: .varint(choices.number())
        case 2: .bytes(choices.bytes(choices.one(of: 0, 1, 4, 16, 32, 64)))
        case 3: .cut(choices.bytes(choices.below(3)), announced: choices.number())
        case 4: .group(self)
        default: .message(self)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    fileprivate mutating func append(delimited bytes: [UInt8]) {
        append(varint: UInt64(bytes.count))
        self += bytes
    }

    /// The same bytes with some fields changed, if they are a message of proto3; else nearly the same bytes.
    func changed(_ choices: inout Choices) -> [UInt8] {
        guard var tree = ProtoTree(self) else { return choices.nearly(self) }
        for _ in 0...choices.below(3) where tree.encoded.count < 1 << 16 { tree.change(&choices) }
        return tree.encoded
    }
}
