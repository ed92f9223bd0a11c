import ChatModel

/// A datagram whose fixed part was read.
package enum Datagram: Hashable, Sendable {
    case hello(Hello)
    case challenge(cookie: [UInt8])
    case welcome(Welcome)
    /// The versions are those that the sender speaks.
    case reset(UDPFormat.ResetReason, versions: [UInt8])
    /// Frames begin at this offset.
    case data(number: UInt64, framesAt: Int)

    /// The session that a datagram is of, whatever its version; nil if it is too short to have one.
    package static func session(_ bytes: Span<UInt8>) -> UInt64? {
        guard bytes.count >= UDPFormat.headerSize else { return nil }
        return bytes.bigEndian(2..<UDPFormat.headerSize)
    }

    /// Whether a stranger may be answered: whatever its version, it is as long as a hello and no reset.
    package static func mayBeHello(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= UDPFormat.maximumDatagram && bytes[1] != UDPFormat.Kind.reset.rawValue
    }

    /// Reads a datagram.
    package init(_ bytes: Span<UInt8>) throws(UDPError) {
        guard bytes.count <= UDPFormat.maximumDatagram else {
            throw .tooLong(bytes.count, limit: UDPFormat.maximumDatagram)
        }
        var reader = FieldReader(bytes)
        let version = try reader.number(UInt8.self)
        guard version == UDPFormat.version else { throw .unknownVersion(version) }
        let code = try reader.number(UInt8.self)
        _ = try reader.number(UInt64.self)
        switch UDPFormat.Kind(rawValue: code) {
        case .hello: self = .hello(try Hello(&reader, datagram: bytes.count))
        case .challenge: self = try Self.challenge(&reader)
        case .welcome: self = .welcome(try Welcome(&reader))
        case .reset: self = Self.reset(&reader)
        case .data: self = .data(number: try reader.number(), framesAt: UDPFormat.dataHeaderSize)
        case nil: throw .unknownKind(code)
        }
    }

    private static func challenge(_ reader: inout FieldReader) throws(UDPError) -> Datagram {
        let offset = reader.offset
        let cookie = try reader.shortBytes(limit: UDPFormat.maximumCookie)
        guard !cookie.isEmpty else { throw .malformed("cookie", at: offset) }
        return .challenge(cookie: cookie)
    }

    /// A body that ends too early is one without reason, or without versions: the session is over all the same.
    private static func reset(_ reader: inout FieldReader) -> Datagram {
        let reason = UDPFormat.ResetReason(rawValue: (try? reader.number()) ?? 0)
        return .reset(reason, versions: (try? reader.shortBytes(limit: UDPFormat.maximumCookie)) ?? [])
    }
}

/// A client's wish to be let in. It fills the largest datagram, so that what answers it is never longer than it, and
/// a path that does not carry such datagrams is noticed at once.
package struct Hello: Hashable, Sendable {
    /// Bytes of deliveries that the client takes ahead of the oldest unfinished one.
    package var window: UInt32
    /// The cookie of the relay's challenge; empty at first.
    package var cookie: [UInt8]

    package init(window: UInt32, cookie: [UInt8] = []) {
        (self.window, self.cookie) = (window, cookie)
    }

    fileprivate init(_ reader: inout FieldReader, datagram size: Int) throws(UDPError) {
        guard size == UDPFormat.maximumDatagram else {
            throw .truncated(needed: UDPFormat.maximumDatagram - size, at: size)
        }
        window = try reader.number()
        cookie = try reader.shortBytes(limit: UDPFormat.maximumCookie)
        try reader.skipExtensions()
    }

    func write(to batch: inout DatagramBatch, session: UInt64, peer: NetworkAddress) {
        batch.begin(.hello, session: session)
        batch.append { bytes in
            bytes.append(big: window)
            bytes.append(short: cookie)
        }
        batch.end(to: peer, padded: true)
    }
}

/// The parameters that a relay gives a client that it lets in.
package struct Welcome: Hashable, Sendable {
    /// Random for each start of the relay; part of every cursor.
    package var epoch: UInt64
    /// The largest payload in bytes.
    package var maximumPayload: UInt32
    /// Bytes of messages that the relay takes ahead of the oldest unfinished one.
    package var window: UInt32
    /// After this time without a datagram the relay forgets the session.
    package var idleMilliseconds: UInt32
    /// Payloads in an epoch of the quota; 0 means no quota.
    package var ratePayloads: UInt32
    /// How long such an epoch is.
    package var rateMilliseconds: UInt32
    /// Payloads kept for each address.
    package var retainedPayloads: UInt32
    /// Bytes kept for each address.
    package var retainedBytes: UInt64
    /// How long they are kept at most.
    package var retainedMilliseconds: UInt64

    /// Every field as it is on the wire.
    package init(
        epoch: UInt64, maximumPayload: UInt32, window: UInt32, idleMilliseconds: UInt32, ratePayloads: UInt32,
        rateMilliseconds: UInt32, retainedPayloads: UInt32, retainedBytes: UInt64, retainedMilliseconds: UInt64
    ) {
        (self.epoch, self.maximumPayload, self.window) = (epoch, maximumPayload, window)
        (self.idleMilliseconds, self.ratePayloads) = (idleMilliseconds, ratePayloads)
        (self.rateMilliseconds, self.retainedPayloads) = (rateMilliseconds, retainedPayloads)
        (self.retainedBytes, self.retainedMilliseconds) = (retainedBytes, retainedMilliseconds)
    }

    init(epoch: UInt64, limits: DeliveryLimits, window: Int, idle: Duration) {
        self.epoch = epoch
        maximumPayload = UInt32(clamping: limits.maximumPayload)
        self.window = UInt32(clamping: window)
        idleMilliseconds = UInt32(clamping: MicrosecondSpan(idle).milliseconds)
        ratePayloads = UInt32(clamping: limits.rate?.payloads ?? 0)
        rateMilliseconds = UInt32(clamping: MicrosecondSpan(limits.rate?.epoch ?? .zero).milliseconds)
        retainedPayloads = UInt32(clamping: limits.retention?.payloads ?? 0)
        retainedBytes = UInt64(clamping: limits.retention?.bytes ?? 0)
        retainedMilliseconds = MicrosecondSpan(limits.retention?.age ?? .zero).milliseconds
    }

    fileprivate init(_ reader: inout FieldReader) throws(UDPError) {
        epoch = try reader.number()
        let offset = reader.offset
        maximumPayload = try reader.number()
        guard (1...UInt32(UDPFormat.maximumPayload)).contains(maximumPayload) else {
            throw .malformed("largest payload", at: offset)
        }
        window = try reader.number()
        idleMilliseconds = try reader.number()
        ratePayloads = try reader.number()
        rateMilliseconds = try reader.number()
        retainedPayloads = try reader.number()
        retainedBytes = try reader.number()
        retainedMilliseconds = try reader.number()
        try reader.skipExtensions()
    }

    func write(
        to batch: inout DatagramBatch, session: UInt64, peer: NetworkAddress, from local: NetworkAddress? = nil
    ) {
        batch.begin(.welcome, session: session)
        batch.append { $0 += fields }
        batch.end(to: peer, from: local, padded: true)
    }

    private static let fieldsSize = 48

    /// The fields alone.
    var fields: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: epoch)
        bytes.append(big: maximumPayload)
        bytes.append(big: window)
        bytes.append(big: idleMilliseconds)
        bytes.append(big: ratePayloads)
        bytes.append(big: rateMilliseconds)
        bytes.append(big: retainedPayloads)
        bytes.append(big: retainedBytes)
        bytes.append(big: retainedMilliseconds)
        return bytes
    }

    /// Reads the fields alone.
    init(fields bytes: Span<UInt8>) throws(UDPError) {
        guard bytes.count <= Self.fieldsSize else { throw .tooLong(bytes.count, limit: Self.fieldsSize) }
        var reader = FieldReader(bytes)
        try self.init(&reader)
    }

    /// The limits as every delivery service states them.
    var limits: DeliveryLimits {
        let hasRate = ratePayloads > 0 && rateMilliseconds > 0
        let rate = DeliveryLimits.Rate(payloads: Int(ratePayloads), epoch: .milliseconds(rateMilliseconds))
        let retention = DeliveryLimits.Retention(
            payloads: Int(retainedPayloads), bytes: Int(clamping: retainedBytes),
            age: .milliseconds(Int64(clamping: retainedMilliseconds)))
        return DeliveryLimits(
            maximumPayload: Int(maximumPayload), rate: hasRate ? rate : nil,
            retention: retainedPayloads > 0 ? retention : nil, offers: [.acknowledgement, .ordering])
    }
}

extension FieldReader {
    /// Extensions are type (2 bytes, not 0), length (2 bytes) and that many bytes; version 1 has none and skips them.
    @_lifetime(self: copy self)
    fileprivate mutating func skipExtensions() throws(UDPError) {
        while rest >= 2 {
            guard try number(UInt16.self) != 0 else { return }
            _ = try take(Int(number(UInt16.self)))
        }
    }
}

extension DatagramBatch {
    mutating func challenge(
        _ cookie: [UInt8], session: UInt64, peer: NetworkAddress, from local: NetworkAddress? = nil
    ) {
        begin(.challenge, session: session)
        append { $0.append(short: cookie) }
        end(to: peer, from: local)
    }

    mutating func reset(
        _ reason: UDPFormat.ResetReason, session: UInt64, peer: NetworkAddress, from local: NetworkAddress? = nil,
        speaking version: UInt8 = UDPFormat.version
    ) {
        begin(.reset, session: session)
        append { bytes in
            bytes.append(reason.rawValue)
            bytes.append(short: reason == .version ? [version] : [])
        }
        end(to: peer, from: local)
    }
}
