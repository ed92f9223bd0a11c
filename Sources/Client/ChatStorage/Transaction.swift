package import ChatModel

/// The bytes of one transaction: its changes, one after the other (STORE-4).
///
/// A change is a kind, the key with its length in two bytes, and for kind 1 the record's bytes with
/// their length in four. Numbers have their most significant byte first.
package enum Transaction {
    private static let removes: UInt8 = 0
    private static let sets: UInt8 = 1
    /// The most bytes of a transaction that an entry's length can say.
    static let maximumSize = Int(UInt32.max)

    /// How many bytes changes take.
    static func size(of changes: some Sequence<Record>) -> Int {
        changes.reduce(0) { $0 + size(of: $1.key, $1.bytes) }
    }

    /// How many bytes one change takes.
    static func size(of key: String, _ bytes: Bytes?) -> Int {
        3 + key.utf8.count + (bytes.map { 4 + $0.count } ?? 0)
    }

    /// Writes changes whose keys and bytes are within their limits.
    package static func write(_ changes: some Sequence<Record>, to output: inout [UInt8]) {
        for change in changes {
            output.append(change.bytes == nil ? removes : sets)
            output.append(number: UInt16(truncatingIfNeeded: change.key.utf8.count))
            output.append(contentsOf: change.key.utf8)
            guard let bytes = change.bytes else { continue }
            output.append(number: UInt32(truncatingIfNeeded: bytes.count))
            output += bytes.array
        }
    }

    /// Reads changes; nil if the bytes are not exactly a sequence of them.
    package static func read(_ bytes: Span<UInt8>) -> [Record]? {
        var changes: [Record] = []
        var offset = 0
        while offset < bytes.count {
            let kind = bytes[offset]
            guard let keyCount = bytes.number(at: offset + 1, bytes: 2), keyCount <= StorageLimits.key,
                let key = bytes.part(at: offset + 3, count: keyCount),
                let text = String(validating: key.array, as: UTF8.self)
            else { return nil }
            offset += 3 + keyCount
            if kind == removes {
                changes.append(Record(text, nil))
                continue
            }
            guard kind == sets, let count = bytes.number(at: offset, bytes: 4),
                let value = bytes.part(at: offset + 4, count: count)
            else { return nil }
            changes.append(Record(text, value))
            offset += 4 + count
        }
        return changes
    }
}

extension [UInt8] {
    /// Appends a number, most significant byte first.
    mutating func append(number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Appends a tag.
    mutating func append(_ tag: Secret) {
        tag.lend { bytes in
            for index in bytes.indices { append(bytes[index]) }
        }
    }
}

extension Span<UInt8> {
    /// A number of at most seven bytes, most significant first; nil if it does not lie inside.
    func number(at offset: Int, bytes: Int) -> Int? {
        guard offset >= 0, bytes <= count - offset else { return nil }
        return Int(bigEndian(offset..<offset + bytes))
    }

    /// A copy of some bytes; nil if they do not lie inside.
    func part(at offset: Int, count: Int) -> Bytes? {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
        return Bytes(copying: extracting(offset..<offset + count))
    }

    /// A tag that is to be compared; nil if it does not lie inside.
    func secret(at offset: Int, count: Int) -> Secret? {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
        return Secret(copying: extracting(offset..<offset + count))
    }
}
