import ChatCodec
import ChatModel

// Fields by name from and to bytes, with the reader and the writer that all formats share.
extension Layout {
    static func named(_ name: String) throws -> Layout {
        guard let layout = all[name] else { throw Problem.notApplicable("message \(name)") }
        return layout
    }

    /// The fields of a message; those that have their default are left out (WIRE-1 to WIRE-8).
    func decode(_ bytes: Bytes) throws -> JSON {
        var reader = ProtoReader(bytes.span)
        var fields: JSON = [:]
        var skipping: Set<String> = []
        try merge(&reader, bytes, into: &fields, at: "", &skipping)
        try requireArms(fields, at: "", skipping)
        return fields
    }

    /// - Parameters:
    ///   - path: where the message stands in the outermost one.
    ///   - skipping: the paths of messages of which a field was skipped.
    private func merge(
        _ reader: inout ProtoReader, _ bytes: Bytes, into fields: inout JSON, at path: String,
        _ skipping: inout Set<String>
    ) throws {
        while let number = try reader.next() {
            guard let field = self.field(number) else {
                skipping.insert(path)
                continue
            }
            for other in self.fields where other.oneof != nil && other.oneof == field.oneof && other.name != field.name
            {
                fields = fields.without(other.name)
            }
            var value: JSON
            if case .message(let name) = field.form {
                value = field.isRepeated ? [:] : fields[field.name] ?? [:]
                var inner = try reader.message()
                let index = field.isRepeated ? fields[field.name]?.list?.count ?? 0 : 0
                let place = "\(path)/\(field.name)/\(index)"
                try Layout.named(name).merge(&inner, bytes, into: &value, at: place, &skipping)
            } else {
                value = try Self.read(field.form, &reader, bytes)
            }
            if field.isRepeated { value = .array((fields[field.name]?.list ?? []) + [value]) }
            let isDefault = !field.hasPresence && !field.isRepeated && Self.isDefault(value)
            fields = isDefault ? fields.without(field.name) : fields.adding(.object(Self.member(field.name, value)))
        }
    }

    func field(_ number: Int) -> Field? { self.fields.first { $0.number == number } }

    private static func member(_ key: String, _ value: JSON) -> JSON.Object {
        var object = JSON.Object()
        object[key] = value
        return object
    }

    private static func isDefault(_ value: JSON) -> Bool { [.string(""), 0, false].contains(value) }

    private static func read(_ form: Form, _ reader: inout ProtoReader, _ bytes: Bytes) throws -> JSON {
        switch form {
        case .uint32: JSON(UInt64(try reader.uint32()))
        case .uint64: JSON(try reader.uint64())
        case .int32: JSON(Int(Int32(truncatingIfNeeded: try reader.int64())))
        case .int64: .integer(try reader.int64())
        case .bool: .bool(try reader.bool())
        case .string: .string(try reader.string(limit: .max))
        case .bytes, .message: .hex(bytes.slice(try reader.range()))
        }
    }

    /// WIRE-7; a skipped field may be an arm of a later version.
    private func requireArms(_ fields: JSON, at path: String, _ skipping: Set<String>) throws {
        for oneof in oneofs where !self.fields.contains(where: { $0.oneof == oneof && fields[$0.name] != nil }) {
            throw Refused(skipping.contains(path) ? "unsupported" : "malformed", "none of the known \(oneof)")
        }
        for field in self.fields {
            guard case .message(let name) = field.form, let value = fields[field.name] else { continue }
            for (index, inner) in (field.isRepeated ? value.list ?? [] : [value]).enumerated() {
                try Layout.named(name).requireArms(inner, at: "\(path)/\(field.name)/\(index)", skipping)
            }
        }
    }

    /// The encoding of fields, in the order of their numbers.
    func encode(_ fields: JSON) throws -> Bytes {
        var encoded: [UInt8] = []
        for member in fields.members ?? [] where !self.fields.contains(where: { $0.name == member.key }) {
            throw Problem.unreadable("there is no field \(member.key)")
        }
        for field in self.fields.sorted(by: { $0.number < $1.number }) {
            guard let value = fields[field.name] else { continue }
            for one in field.isRepeated ? value.list ?? [] : [value] {
                encoded += try encode(field, one)
            }
        }
        return Bytes(encoded)
    }

    private func encode(_ field: Field, _ value: JSON) throws -> [UInt8] {
        let one = Case(json: .object(Self.member("value", value)))
        guard field.hasPresence || field.isRepeated || !Self.isDefault(value) else { return [] }
        switch field.form {
        case .uint32: return Self.varint(field, UInt64(try one.number("value", UInt32.self)))
        case .uint64: return Self.varint(field, try one.uint64("value"))
        case .int32: return Self.varint(field, UInt64(bitPattern: Int64(try one.int("value"))))
        case .int64: return Self.varint(field, UInt64(bitPattern: Int64(try one.int("value"))))
        case .bool: return Self.varint(field, try one.bool("value") ? 1 : 0)
        case .string: return Self.delimited(field, Bytes(try one.text("value")))
        case .bytes: return Self.delimited(field, Bytes(try one.bytes("value")))
        case .message(let name): return Self.delimited(field, try Layout.named(name).encode(value))
        }
    }

    private static func varint(_ field: Field, _ value: UInt64) -> [UInt8] {
        Bytes(headRoom: 0, count: 20) { output in
            output.append(varint: UInt64(field.number) << 3)
            output.append(varint: value)
        }.array
    }

    private static func delimited(_ field: Field, _ bytes: Bytes) -> [UInt8] {
        Bytes(headRoom: 0, count: ProtoSize.present(field.number, count: bytes.count)) { output in
            output.append(present: field.number, count: bytes.count)
            output.append(bytes: bytes.span)
        }.array
    }
}
