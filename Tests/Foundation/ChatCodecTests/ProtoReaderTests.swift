import ChatCodec
import ChatModel
import LogosFormats
import TestSupport
import Testing

/// Every field of a message as text, so that readings can be compared.
private func fields(_ bytes: [UInt8]) throws(WireError) -> [String] {
    var found: [String] = []
    var reader = ProtoReader(bytes.span)
    while let field = try reader.next() { found.append("\(field)@\(reader.offset)") }
    return found
}

struct ProtoReaderTests {
    @Test(
        arguments: [
            ("a tag cut off", [0x80], WireError.truncated(needed: 1, at: 1)),
            ("a value missing", [0x08], .truncated(needed: 1, at: 1)),
            ("a length beyond the end", [0x0a, 0x05, 0x01], .truncated(needed: 4, at: 3)),
            (
                "a length of 2^64 - 1", [0x0a] + [UInt8](repeating: 0xff, count: 9) + [0x01],
                .truncated(needed: .max, at: 11)
            ),
            ("field number 0", [0x00, 0x00], .badFieldNumber(0, at: 0)),
            ("a field number above 2^29 - 1", [0x80, 0x80, 0x80, 0x80, 0x10], .badFieldNumber(1 << 29, at: 0)),
            ("eleven bytes of varint", [0x08] + [UInt8](repeating: 0x80, count: 10) + [0x00], .badVarint(at: 1)),
            ("65 bits of varint", [0x08] + [UInt8](repeating: 0xff, count: 9) + [0x02], .badVarint(at: 1)),
            ("a group without end", [0x0b], .truncated(needed: 1, at: 1)),
            ("the end of a group", [0x0c], .badWireType(4, field: 1, at: 0)),
            ("a group that ends as another one", [0x0b, 0x14], .badWireType(4, field: 2, at: 1)),
            ("a group that another one in it leaves open", [0x0b, 0x13, 0x0c], .badWireType(4, field: 1, at: 2)),
            ("wire type 6 in a group", [0x0b, 0x16, 0x0c], .badWireType(6, field: 2, at: 1)),
            ("field number 0 in a group", [0x0b, 0x00, 0x0c], .badFieldNumber(0, at: 1)),
            ("a length in a group beyond the end", [0x0b, 0x12, 0x05, 0x0c], .truncated(needed: 4, at: 4)),
            ("wire type 6", [0x0e], .badWireType(6, field: 1, at: 0)),
            ("wire type 7", [0x0f], .badWireType(7, field: 1, at: 0)),
            ("a fixed64 of seven bytes", [0x09, 1, 2, 3, 4, 5, 6, 7], .truncated(needed: 1, at: 8)),
            ("a fixed32 of three bytes", [0x0d, 1, 2, 3], .truncated(needed: 1, at: 4)),
        ] as [(String, [UInt8], WireError)])
    func `bytes that are no message are refused with numbers (WIRE-2)`(name: String, bytes: [UInt8], error: WireError) {
        #expect(throws: error) { try fields(bytes) }
    }

    @Test func `the longest varint and the largest field number are read (WIRE-2)`() throws {
        let bytes: [UInt8] = [0x08] + [UInt8](repeating: 0xff, count: 9) + [0x01]
        var reader = ProtoReader(bytes.span)
        _ = try reader.next()
        let value = try reader.uint64()
        #expect(value == .max)
        #expect(try fields([0xf8, 0xff, 0xff, 0xff, 0x0f, 0x00]) == ["\(ProtoReader.maximumField)@5"])
    }

    @Test func `a varint longer than it must be is the same number (WIRE-2)`() throws {
        let bytes: [UInt8] = [0x88, 0x00, 0x81, 0x80, 0x00]
        var reader = ProtoReader(bytes.span)
        let field = try reader.next()
        let value = try reader.uint64()
        #expect(field == 1 && value == 1)
    }

    @Test func `unknown fields of every wire type are skipped (WIRE-3)`() throws {
        let bytes: [UInt8] = [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 0x02, 0xaa, 0xbb, 0x25, 1, 2, 3, 4]
        #expect(try fields(bytes) == ["1@1", "2@4", "3@13", "4@17"])
    }

    @Test func `groups are skipped with all that is in them (WIRE-9)`() throws {
        let values: [UInt8] = [
            0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 0x02, 0x0c, 0x0c, 0x25, 1, 2, 3, 4,
        ]
        let group: [UInt8] = [0x2b] + values + [0x0b, 0x2b, 0x2c, 0x0c] + [0x2c]
        #expect(try fields(group + [0x30, 0x00]) == ["5@1", "6@\(group.count + 1)"])
        #expect(try EncryptedPayload(decoding: [0x0a, 0x00, 0x23, 0x24]) == .plaintext([]))
        var reader = ProtoReader(group.span)
        _ = try reader.next()
        let inside = try reader.group()
        #expect(inside == 1..<group.count - 1)
        #expect(throws: WireError.badWireType(3, field: 1, at: 1)) { try EncryptedPayload(decoding: [0x0b, 0x0c]) }
    }

    @Test(arguments: [0, 1, 5]) func `groups nest as deep as messages do, together with them (WIRE-6)`(messages: Int)
        throws
    {
        func bytes(_ groups: Int) -> [UInt8] {
            let group = [UInt8](repeating: 0x0b, count: groups) + [UInt8](repeating: 0x0c, count: groups)
            return (0..<messages).reduce(group) { inner, _ in [0x0a, UInt8(inner.count)] + inner }
        }
        func read(_ bytes: [UInt8]) throws(WireError) { try skipAll(ProtoReader(bytes.span), messages) }
        func skipAll(_ reader: consuming ProtoReader, _ levels: Int) throws(WireError) {
            var reader = reader
            while try reader.next() != nil {
                if levels > 0 { try skipAll(try reader.message(), levels - 1) }
            }
        }
        let most = ProtoReader.maximumDepth - 1 - messages
        try read(bytes(most))
        #expect(throws: WireError.tooDeep(limit: ProtoReader.maximumDepth, at: 2 * messages + most + 1)) {
            try read(bytes(most + 1))
        }
    }

    @Test func `every kind of value is read (WIRE-1)`() throws {
        let ones = [UInt8](repeating: 0xff, count: 9)
        var bytes: [UInt8] = [0x08, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x10] + ones + [0x01, 0x18, 0x02]
        bytes += [0x21, 1, 0, 0, 0, 0, 0, 0, 0x80, 0x2d, 1, 0, 0, 0x80, 0x32, 0x02, 0xc3, 0xa9]
        var reader = ProtoReader(bytes.span)
        _ = try reader.next()
        let low = try reader.uint32()  // 33 bits came; protobuf keeps the low 32
        _ = try reader.next()
        let negative = try reader.int64()
        _ = try reader.next()
        let truth = try reader.bool()
        _ = try reader.next()
        let wide = try reader.fixed64()
        _ = try reader.next()
        let narrow = try reader.fixed32()
        _ = try reader.next()
        let text = try reader.string(limit: 2)
        let end = try reader.next()
        #expect(low == .max && negative == -1 && truth)
        #expect(wide == 0x8000_0000_0000_0001 && narrow == 0x8000_0001)
        #expect(text == "é" && end == nil)
    }

    @Test func `a field of another wire type than it has is refused (WIRE-4)`() {
        let bytes: [UInt8] = [0x08, 0x01]
        #expect(throws: WireError.badWireType(0, field: 1, at: 1)) {
            var reader = ProtoReader(bytes.span)
            _ = try reader.next()
            _ = try reader.range()
        }
        #expect(throws: WireError.badWireType(2, field: 2, at: 1)) { try DoubleRatchetMessage(decoding: [0x12, 0x00]) }
    }

    @Test func `text must be UTF-8 and within its limit (WIRE-5)`() {
        #expect(throws: WireError.notUTF8(at: 3)) { try string([0x0a, 0x02, 0x61, 0xff], limit: 8) }
        #expect(throws: WireError.tooLong("field 1", bytes: 3, limit: 2)) { try string([0x0a, 3, 1, 1, 1], limit: 2) }
    }

    private func string(_ bytes: [UInt8], limit: Int) throws(WireError) -> String {
        var reader = ProtoReader(bytes.span)
        _ = try reader.next()
        return try reader.string(limit: limit)
    }

    @Test func `nesting is read to a fixed depth (WIRE-6)`() throws {
        #expect(try descend(nested(ProtoReader.maximumDepth - 1)) == ProtoReader.maximumDepth - 1)
        #expect(throws: WireError.tooDeep(limit: ProtoReader.maximumDepth, at: 31)) {
            try descend(nested(ProtoReader.maximumDepth))
        }
    }

    /// A message with so many messages in each other.
    private func nested(_ depth: Int) -> [UInt8] {
        (0..<depth).reduce([]) { inner, _ in [0x0a, UInt8(inner.count)] + inner }
    }

    private func descend(_ bytes: [UInt8]) throws(WireError) -> Int {
        var reader = ProtoReader(bytes.span)
        return try descend(&reader)
    }

    private func descend(_ reader: inout ProtoReader) throws(WireError) -> Int {
        guard try reader.next() != nil else { return 0 }
        var inner = try reader.message()
        return 1 + (try descend(&inner))
    }

    @Test func `200,000 hostile inputs are read or refused, and reading ends at the end (WIRE-2)`() {
        let valid: [[UInt8]] = [
            [0x08, 0x96, 0x01, 0x12, 0x03, 1, 2, 3, 0x1d, 1, 2, 3, 4],
            [0x0a, 0x06, 0x0a, 0x04, 0x12, 0x02, 0x08, 0x01], [0x0b, 0x13, 0x08, 0x01, 0x14, 0x0c, 0x10, 0x01],
        ]
        var inputs = HostileInputs(seed: 1, valid: valid)
        var (read, refused) = (0, 0)
        inputs.forEach { bytes in
            do {
                var reader = ProtoReader(bytes.span)
                while try reader.next() != nil {}
                if reader.offset == bytes.count { read += 1 }
            } catch {
                refused += 1
            }
        }
        #expect(
            read + refused == HostileInputs.usualCount && read > HostileInputs.usualCount / 200
                && refused > HostileInputs.usualCount / 200)
    }
}
