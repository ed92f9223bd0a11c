internal import ChatCodec
internal import ChatModel
internal import ChatRecords

/// Writes the client's own records: a version byte, then fields in a fixed order.
///
/// Numbers are eight bytes big-endian; bytes and texts have their length in front. Nobody but this
/// client reads them, so there is nothing to negotiate and nothing optional to skip.
struct RecordWriter {
    private var bytes: [UInt8]

    /// - Parameter size: bytes that will probably be written, so that room is made once.
    init(version: UInt8, size: Int = 128) {
        bytes = []
        bytes.reserveCapacity(size)
        bytes.append(version)
    }

    var record: Bytes { Bytes(bytes) }

    mutating func write(_ number: UInt64) { bytes.append(big: number) }

    mutating func write(_ flag: Bool) {
        bytes.append(flag ? 1 : 0)
    }

    mutating func write(_ field: Bytes) {
        write(UInt64(field.count))
        unsafe field.span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func write(_ text: String) {
        write(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func write(_ text: String?) {
        write(text != nil)
        if let text { write(text) }
    }
}

/// Reads what ``RecordWriter`` wrote; a record of another version or form is a typed refusal.
struct RecordReader {
    private let bytes: Bytes
    private let key: String
    private var offset = 1

    /// The most fields in a list; records are ours, so this only stops a damaged count.
    static let maximumList = 1 << 20

    init(_ record: Record, version: UInt8) throws(Refusal) {
        guard let bytes = record.bytes, !bytes.isEmpty, bytes[0] == version else { throw Self.unreadable(record.key) }
        (self.bytes, key) = (bytes, record.key)
    }

    mutating func number() throws(Refusal) -> UInt64 {
        guard bytes.count - offset >= 8 else { throw Self.unreadable(key) }
        defer { offset += 8 }
        return bytes.span.bigEndian(offset..<offset + 8)
    }

    /// A number that counts up: one that nobody counts up to is unreadable, so that counting on never overflows.
    mutating func counter() throws(Refusal) -> UInt64 {
        let number = try number()
        guard number <= RecordCodec.largestCount else { throw Self.unreadable(key) }
        return number
    }

    mutating func flag() throws(Refusal) -> Bool {
        guard bytes.count > offset, bytes[offset] <= 1 else { throw Self.unreadable(key) }
        defer { offset += 1 }
        return bytes[offset] == 1
    }

    mutating func field() throws(Refusal) -> Bytes {
        let count = try number()
        guard count <= UInt64(bytes.count - offset) else { throw Self.unreadable(key) }
        defer { offset += Int(count) }
        return bytes.slice(offset..<offset + Int(count))
    }

    mutating func text() throws(Refusal) -> String {
        guard let text = String(validating: try field().array, as: UTF8.self) else { throw Self.unreadable(key) }
        return text
    }

    mutating func optionalText() throws(Refusal) -> String? { try flag() ? try text() : nil }

    mutating func count() throws(Refusal) -> Int {
        let count = try number()
        guard count <= UInt64(Self.maximumList) else { throw Self.unreadable(key) }
        return Int(count)
    }

    /// Nothing may follow the last field.
    func end() throws(Refusal) {
        guard offset == bytes.count else { throw Self.unreadable(key) }
    }

    func unreadable() -> Refusal { Self.unreadable(key) }

    static func unreadable(_ key: String) -> Refusal {
        Refusal(.unsupported, CommonCause.unreadableRecord(key, machine: "client"))
    }
}
