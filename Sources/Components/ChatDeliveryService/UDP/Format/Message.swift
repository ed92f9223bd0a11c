package import ChatModel

/// A request of a client to a relay.
package enum Request: Hashable, Sendable {
    case publish(Addressed)
    case subscribe(number: UInt32, DeliveryAddress, WireSince)
    case unsubscribe(number: UInt32)

    enum Code {
        static let publish: UInt8 = 1, subscribe: UInt8 = 2, unsubscribe: UInt8 = 3
    }

    /// From where on a subscription wants payloads.
    package enum WireSince: Hashable, Sendable {
        case now, earliest
        case after(epoch: UInt64, sequence: UInt64)
    }
}

/// A message of a relay to a client.
package enum Answer: Hashable, Sendable {
    case results([Entry])
    case deliver(number: UInt32, sequence: UInt64, PayloadID, reply: DeliveryAddress?, Payload)
    case gone(number: UInt32, through: UInt64)

    enum Code {
        static let results: UInt8 = 0x81, deliver: UInt8 = 0x82, gone: UInt8 = 0x83
    }

    /// The outcome of one request.
    package struct Entry: Hashable, Sendable {
        /// Bytes of an entry.
        static let size = 25
        /// Entries that fit into one fragment.
        package static let most = (UDPFormat.fragmentSize - 1) / size

        /// The message that carried the request.
        package var message: UInt64
        package var code: ResultCode
        /// Their meaning depends on the code.
        package var first: UInt64
        package var second: UInt64

        package init(message: UInt64, code: ResultCode, first: UInt64, second: UInt64) {
            (self.message, self.code, self.first, self.second) = (message, code, first, second)
        }
    }

    /// How a request ended.
    package enum ResultCode: UInt8, Sendable {
        /// Done; first is the sequence of the payload, or that after which the subscription begins.
        case done = 0
        /// First is the payload's size, second the limit.
        case tooLarge = 1
        /// First is the quota, second the milliseconds to wait.
        case rateLimited = 2
        /// The address is empty or too long.
        case badAddress = 3
        /// First is what there is too much of, second the milliseconds to wait.
        case overloaded = 4
        /// The relay does not understand the request.
        case rejected = 5
    }
}

// Writing. A message is a head, made here, and a body, which is the payload where it lies.
extension Request {
    var head: [UInt8] {
        switch self {
        case .publish(let addressed):
            var head: [UInt8] = []
            head.reserveCapacity(128)
            head.append(Code.publish)
            head.append(addressed.id)
            head.append(short: addressed.address.text)
            head.append(short: addressed.replyAddress?.text ?? "")
            return head
        case .subscribe(let number, let address, let since):
            var head: [UInt8] = [Code.subscribe]
            head.append(big: number)
            switch since {
            case .now: head += [0] + [UInt8](repeating: 0, count: HistoryPosition.size)
            case .earliest: head += [1] + [UInt8](repeating: 0, count: HistoryPosition.size)
            case .after(let epoch, let sequence):
                head.append(2)
                head.append(big: epoch)
                head.append(big: sequence)
            }
            head.append(short: address.text)
            return head
        case .unsubscribe(let number):
            var head: [UInt8] = [Code.unsubscribe]
            head.append(big: number)
            return head
        }
    }

    var body: Bytes { if case .publish(let addressed) = self { addressed.payload } else { Bytes() } }
}

extension Answer {
    static func head(deliver entry: History.Entry, number: UInt32) -> [UInt8] {
        head(deliver: entry.addressed, sequence: entry.sequence, number: number)
    }

    static func head(deliver addressed: Addressed, sequence: UInt64, number: UInt32) -> [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(64)
        head.append(Code.deliver)
        head.append(big: number)
        head.append(big: sequence)
        head.append(addressed.id)
        head.append(short: addressed.replyAddress?.text ?? "")
        return head
    }

    static func head(gone number: UInt32, through sequence: UInt64) -> [UInt8] {
        var head: [UInt8] = [Code.gone]
        head.append(big: number)
        head.append(big: sequence)
        return head
    }

    static func head(results: some Collection<Entry>) -> [UInt8] {
        var head: [UInt8] = [Code.results]
        for entry in results {
            head.append(big: entry.message)
            head.append(entry.code.rawValue)
            head.append(big: entry.first)
            head.append(big: entry.second)
        }
        return head
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ id: PayloadID) {
        append(big: id.high)
        append(big: id.low)
    }
}

// Reading: payloads are slices of the message.
extension Request {
    /// Reads a request.
    ///
    /// - Parameter address: the one that it is probably about: the last one's.
    package init(_ message: Bytes, probablyAbout address: DeliveryAddress? = nil) throws(UDPError) {
        let known = address?.text ?? ""
        var reader = FieldReader(message.span)
        switch try reader.number(UInt8.self) {
        case Code.publish:
            let id = PayloadID(high: try reader.number(), low: try reader.number())
            let address = DeliveryAddress(try reader.text("address", known: known))
            let reply = try reader.text("reply address")
            let payload = message.slice(reader.offset..<message.count)
            self = .publish(
                Addressed(address, payload: payload, id: id, replyAddress: reply.isEmpty ? nil : DeliveryAddress(reply))
            )
        case Code.subscribe:
            let number: UInt32 = try reader.number()
            let offset = reader.offset
            let code: UInt8 = try reader.number()
            let place = (try reader.number(UInt64.self), try reader.number(UInt64.self))
            let address = DeliveryAddress(try reader.text("address"))
            guard let since = WireSince(code: code, place) else { throw .malformed("since", at: offset) }
            try reader.end()
            self = .subscribe(number: number, address, since)
        case Code.unsubscribe:
            self = .unsubscribe(number: try reader.number())
            try reader.end()
        case let code: throw .unknownMessage(code)
        }
    }
}

extension Request.WireSince {
    fileprivate init?(code: UInt8, _ place: (epoch: UInt64, sequence: UInt64)) {
        switch code {
        case 0: self = .now
        case 1: self = .earliest
        case 2: self = .after(epoch: place.epoch, sequence: place.sequence)
        default: return nil
        }
    }
}

extension Answer {
    package init(_ message: Bytes) throws(UDPError) {
        var reader = FieldReader(message.span)
        switch try reader.number(UInt8.self) {
        case Code.results:
            var entries: [Entry] = []
            while reader.rest > 0, entries.count < Entry.most { entries.append(try Entry(&reader)) }
            try reader.end()
            self = .results(entries)
        case Code.deliver:
            let number: UInt32 = try reader.number()
            let sequence: UInt64 = try reader.number()
            let id = PayloadID(high: try reader.number(), low: try reader.number())
            let reply = try reader.text("reply address")
            let payload = message.slice(reader.offset..<message.count)
            self = .deliver(
                number: number, sequence: sequence, id, reply: reply.isEmpty ? nil : DeliveryAddress(reply), payload)
        case Code.gone:
            self = .gone(number: try reader.number(), through: try reader.number())
            try reader.end()
        case let code: throw .unknownMessage(code)
        }
    }
}

extension Answer.Entry {
    fileprivate init(_ reader: inout FieldReader) throws(UDPError) {
        message = try reader.number()
        let offset = reader.offset
        guard let code = Answer.ResultCode(rawValue: try reader.number()) else { throw .malformed("code", at: offset) }
        self.code = code
        first = try reader.number()
        second = try reader.number()
    }
}

extension FieldReader {
    /// Refuses bytes behind the last field.
    fileprivate func end() throws(UDPError) {
        guard rest == 0 else { throw .malformed("end", at: offset) }
    }
}
