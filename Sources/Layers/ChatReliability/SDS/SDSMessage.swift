public import ChatCodec
import ChatCrypto
public import ChatModel

/// One message of Scalable Data Sync on the wire.
public struct SDSMessage: Hashable, Sendable {
    /// Names a message that its sender has, with what helps to find it.
    public struct HistoryEntry: Hashable, Sendable {
        /// Field 1, `message_id`.
        public var id: Identifier
        /// Field 2, `retrieval_hint`: of use to a service that keeps messages; nil where there is none.
        public var hint: Bytes?
        /// Field 3, `sender_id`: who sent it first (SDSR-02).
        public var sender: Identifier?

        /// Makes an entry.
        public init(_ id: Identifier, hint: Bytes? = nil, sender: Identifier? = nil) {
            (self.id, self.hint, self.sender) = (id, hint, sender)
        }
    }

    /// Who sent it first.
    public var sender: Identifier
    /// Names it among all messages of all participants (SDS-01).
    public var id: Identifier
    /// The channel; `0` where there is one only.
    public var channel: Identifier
    /// The sender's Lamport clock; nil for an ephemeral message (SDS-14).
    public var lamport: UInt64?
    /// The messages that the sender had delivered last, oldest first (SDS-04).
    public var history: [HistoryEntry]
    /// The sender's encoded ``BloomFilter``.
    public var filter: Bytes?
    /// The messages that the sender asks others to send again (SDSR-05).
    public var repairs: [HistoryEntry]
    /// Own messages that the sender will never send again, since it gave them up or does not have them (SDS-R11).
    public var gone: [HistoryEntry]
    /// The content; nil or empty in a sync message (SDS-12).
    public var content: Bytes?

    /// Makes a message.
    public init(
        sender: Identifier, id: Identifier, channel: Identifier, lamport: UInt64? = nil, history: [HistoryEntry] = [],
        filter: Bytes? = nil, repairs: [HistoryEntry] = [], gone: [HistoryEntry] = [], content: Bytes? = nil
    ) {
        (self.sender, self.id, self.channel, self.lamport) = (sender, id, channel, lamport)
        (self.history, self.filter, self.repairs, self.gone) = (history, filter, repairs, gone)
        self.content = content
    }

    /// Which field has which number: the document and chat_proto differ.
    public enum Layout: Hashable, Sendable {
        /// `Message` of the SDS document; optional fields have presence.
        case document
        /// `logoschat.reliability.ReliablePayload` of chat_proto: the sender in field 7, defaults omitted, no repair requests, nothing that is gone.
        case chatProto

        var numbers: (sender: Int, id: Int, channel: Int) {
            switch self {
            case .document: (1, 2, 3)
            case .chatProto: (7, 2, 3)
            }
        }
    }

    /// The most entries of a causal history, and of repair requests, that are read (5-16 of the suite's gaps).
    public static let maximumEntries = 200
    /// The most bytes of a retrieval hint: two hashes of any kind in use.
    public static let maximumHint = 128

    /// The id that libchat gives a message of a group: the hex of BLAKE2b-256 over its fields.
    public static func libchatID(channel: String, sender: String, lamport: Int32, content: Bytes) -> Identifier? {
        let number = UInt32(bitPattern: lamport)
        let lamport = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
        let bar: [UInt8] = [0x7C]
        let bytes =
            Array("deterministic_frame_id|".utf8) + Array(channel.utf8) + bar + Array(sender.utf8) + bar + lamport + bar
            + content.array
        return Identifier(hex: BLAKE2b.hash(count: 32, bytes).span)
    }
}

// Writing.
extension SDSMessage {
    /// The encoding, with a copy of the content, which the message keeps.
    public func encoded(_ layout: Layout = .document) -> Bytes {
        if let content { return encoded(around: content, layout) }
        return Bytes(headRoom: 0, count: headerSize(layout, content: nil)) {
            writeHeader(layout, content: nil, to: &$0)
        }
    }

    /// The encoding around a content in place of its own: written in front of it, in its head room, and nothing is
    /// copied, as long as no other reference holds the content.
    func encoded(around content: consuming Bytes, _ layout: Layout = .document) -> Bytes {
        let count = content.count
        content.prepend(headerSize(layout, content: count)) { writeHeader(layout, content: count, to: &$0) }
        return content
    }

    /// The bytes in front of a content of a size, which comes last; without presence an empty one is omitted.
    private func headerSize(_ layout: Layout, content count: Int?) -> Int {
        let numbers = layout.numbers
        var size = ProtoSize.field(numbers.sender, count: sender.count) + ProtoSize.field(numbers.id, count: id.count)
        size += ProtoSize.field(numbers.channel, count: channel.count)
        if let lamport = present(lamport, layout, isDefault: lamport == 0) {
            size += ProtoSize.tag(10) + ProtoSize.varint(lamport)
        }
        for entry in history { size += ProtoSize.present(11, count: entry.size(layout)) }
        if let filter = present(filter, layout, isDefault: filter?.isEmpty == true) {
            size += ProtoSize.present(12, count: filter.count)
        }
        if case .document = layout {
            for entry in repairs { size += ProtoSize.present(13, count: entry.size(layout)) }
            for entry in gone { size += ProtoSize.present(14, count: entry.size(layout)) }
        }
        if let count = present(count, layout, isDefault: count == 0) {
            size += ProtoSize.present(20, count: count) - count
        }
        return size
    }

    @_lifetime(output: copy output)
    private func writeHeader(_ layout: Layout, content count: Int?, to output: inout OutputSpan<UInt8>) {
        let numbers = layout.numbers
        if numbers.sender < numbers.id { output.append(field: numbers.sender, sender) }
        output.append(field: numbers.id, id)
        output.append(field: numbers.channel, channel)
        if numbers.sender > numbers.id { output.append(field: numbers.sender, sender) }
        if let lamport = present(lamport, layout, isDefault: lamport == 0) {
            output.append(varint: 10 << 3)
            output.append(varint: lamport)
        }
        for entry in history { entry.write(11, layout, to: &output) }
        if let filter = present(filter, layout, isDefault: filter?.isEmpty == true) {
            output.append(present: 12, count: filter.count)
            output.append(bytes: filter.span)
        }
        if case .document = layout {
            for entry in repairs { entry.write(13, layout, to: &output) }
            for entry in gone { entry.write(14, layout, to: &output) }
        }
        if let count = present(count, layout, isDefault: count == 0) { output.append(present: 20, count: count) }
    }
}

/// A value that is written: with presence always, without it unless it is the default.
private func present<Value>(_ value: Value?, _ layout: SDSMessage.Layout, isDefault: Bool) -> Value? {
    if case .chatProto = layout, isDefault { return nil }
    return value
}

extension SDSMessage.HistoryEntry {
    fileprivate func size(_ layout: SDSMessage.Layout) -> Int {
        var size = ProtoSize.field(1, count: id.count)
        if let hint = present(hint, layout, isDefault: hint?.isEmpty == true) {
            size += ProtoSize.present(2, count: hint.count)
        }
        if let sender = present(sender, layout, isDefault: sender?.count == 0) {
            size += ProtoSize.present(3, count: sender.count)
        }
        return size
    }

    @_lifetime(output: copy output)
    fileprivate func write(_ field: Int, _ layout: SDSMessage.Layout, to output: inout OutputSpan<UInt8>) {
        output.append(present: field, count: size(layout))
        output.append(field: 1, id)
        if let hint = present(hint, layout, isDefault: hint?.isEmpty == true) {
            output.append(present: 2, count: hint.count)
            output.append(bytes: hint.span)
        }
        if let sender = present(sender, layout, isDefault: sender?.count == 0) {
            output.append(present: 3, count: sender.count)
            sender.write(to: &output)
        }
    }
}

extension OutputSpan<UInt8> {
    /// Appends a `string` field.
    @_lifetime(self: copy self)
    mutating func append(field number: Int, _ identifier: Identifier) {
        guard identifier.count > 0 else { return }
        append(present: number, count: identifier.count)
        identifier.write(to: &self)
    }
}

// Reading.
extension SDSMessage {
    /// Decodes a message; what it keeps of the bytes are slices.
    public init(decoding bytes: Bytes, _ layout: Layout = .document) throws(WireError) {
        let numbers = layout.numbers
        self.init(sender: Identifier(), id: Identifier(), channel: Identifier())
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case numbers.sender: sender = try Identifier(&reader, bytes)
            case numbers.id: id = try Identifier(&reader, bytes)
            case numbers.channel: channel = try Identifier(&reader, bytes)
            case 10: lamport = try reader.uint64()
            case 11: history.append(try HistoryEntry(&reader, bytes, count: history.count))
            case 12: filter = bytes.slice(try reader.range())
            case 13 where layout == .document: repairs.append(try HistoryEntry(&reader, bytes, count: repairs.count))
            case 14 where layout == .document: gone.append(try HistoryEntry(&reader, bytes, count: gone.count))
            case 20: content = bytes.slice(try reader.range())
            default: continue
            }
        }
    }
}

extension SDSMessage.HistoryEntry {
    /// Decodes one more entry of a list.
    fileprivate init(_ outer: inout ProtoReader, _ bytes: Bytes, count: Int) throws(WireError) {
        let limit = SDSMessage.maximumEntries
        guard count < limit else { throw .tooLong("list of history entries", bytes: count + 1, limit: limit) }
        self.init(Identifier())
        var reader = try outer.message()
        while let field = try reader.next() {
            switch field {
            case 1: id = try Identifier(&reader, bytes)
            case 2:
                let range = try reader.range()
                let limit = SDSMessage.maximumHint
                guard range.count <= limit else {
                    throw .tooLong("retrieval_hint", bytes: range.count, limit: limit)
                }
                hint = bytes.slice(range)
            case 3: sender = try Identifier(&reader, bytes)
            default: continue
            }
        }
    }
}

extension Identifier {
    /// The value of a `string` field of a message that lies in some bytes.
    init(_ reader: inout ProtoReader, _ bytes: Bytes) throws(WireError) {
        let range = try reader.textRange(limit: Identifier.maximumCount)
        guard let identifier = Identifier(bytes.span.extracting(range)) else { throw .notUTF8(at: range.lowerBound) }
        self = identifier
    }
}
