import ChatModel

/// What a client says in the sealed part of its HELLO.
package struct ClientParameters: Sendable, Hashable {
    /// The versions of the protocol that it speaks, the best first.
    package var versions: [UInt8]
    /// Bytes of messages that it takes ahead of the oldest unfinished one.
    package var window: UInt32
    /// The largest datagram that it takes.
    package var largestDatagram: UInt16

    /// Every field as it is on the wire.
    package init(versions: [UInt8] = [SealedFormat.version], window: UInt32, largestDatagram: UInt16) {
        (self.versions, self.window, self.largestDatagram) = (versions, window, largestDatagram)
    }
}

/// What a relay says in the sealed part of its WELCOME.
package enum RelayParameters: Sendable, Hashable {
    /// The client is let in.
    case welcome(SealedWelcome)
    /// It is not, for want of this, and may come again after so many milliseconds.
    case refused(limit: UInt8, milliseconds: UInt32)
}

/// The parameters of a session.
package struct SealedWelcome: Sendable, Hashable {
    /// The id under which the relay wants to be written to.
    package var id: UInt64
    /// Proves a RESET of that id; 16 bytes.
    package var resetToken: [UInt8]
    /// The versions of the protocol that the relay speaks, the best first.
    package var versions: [UInt8]
    /// The largest datagram that it takes.
    package var largestDatagram: UInt16
    /// Limits, as version 1 states them.
    package var limits: Welcome

    /// Every field as it is on the wire.
    package init(
        id: UInt64, resetToken: [UInt8], versions: [UInt8] = [SealedFormat.version], largestDatagram: UInt16,
        limits: Welcome
    ) {
        (self.id, self.resetToken, self.versions) = (id, resetToken, versions)
        (self.largestDatagram, self.limits) = (largestDatagram, limits)
    }
}

/// Types of parameters: `u16` type, `u16` length and that many bytes, one after the other; type 0 ends them, and zeros
/// follow. What is not known is skipped; what is there twice is refused, since the two sides might read two things.
private enum ParameterType {
    static let versions: UInt16 = 1, window: UInt16 = 2, largestDatagram: UInt16 = 3
    static let id: UInt16 = 4, resetToken: UInt16 = 5, limits: UInt16 = 6, refusal: UInt16 = 7
    static let tokenSize = 16
}

private struct ParameterList {
    private var values: [UInt16: Range<Int>] = [:]

    init(_ bytes: Span<UInt8>) throws(UDPError) {
        var reader = FieldReader(bytes)
        while reader.rest >= 2 {
            let offset = reader.offset
            let type: UInt16 = try reader.number()
            guard type != 0 else { break }
            let range = try reader.take(Int(try reader.number(UInt16.self)))
            guard values.updateValue(range, forKey: type) == nil else { throw .malformed("repeated type", at: offset) }
        }
        // What follows the end is padding and nothing else, or two writings would mean the same.
        while reader.rest > 0 {
            let offset = reader.offset
            guard try reader.number(UInt8.self) == 0 else { throw .malformed("padding", at: offset) }
        }
    }

    func has(_ type: UInt16) -> Bool { values[type] != nil }

    func range(_ type: UInt16, _ name: String) throws(UDPError) -> Range<Int> {
        guard let range = values[type] else { throw .malformed("missing \(name)", at: 0) }
        return range
    }

    func number<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ type: UInt16, _ name: String, in bytes: Span<UInt8>
    ) throws(UDPError) -> Number {
        let range = try range(type, name)
        guard range.count == Number.bitWidth / 8 else { throw .malformed(name, at: range.lowerBound) }
        var reader = FieldReader(bytes.extracting(range))
        return try reader.number()
    }

    func versions(in bytes: Span<UInt8>) throws(UDPError) -> [UInt8] {
        let range = try range(ParameterType.versions, "versions")
        guard !range.isEmpty, range.count <= UDPFormat.maximumCookie else {
            throw .malformed("versions", at: range.lowerBound)
        }
        return [UInt8](copying: bytes.extracting(range))
    }

    func largestDatagram(in bytes: Span<UInt8>) throws(UDPError) -> UInt16 {
        let size: UInt16 = try number(ParameterType.largestDatagram, "largest datagram", in: bytes)
        guard size >= UDPFormat.maximumDatagram else { throw .malformed("largest datagram", at: 0) }
        return size
    }
}

extension [UInt8] {
    fileprivate mutating func append(parameter type: UInt16, _ value: [UInt8]) {
        append(big: type)
        append(big: UInt16(truncatingIfNeeded: value.count))
        append(contentsOf: value)
    }

    fileprivate mutating func append(parameter type: UInt16, big number: some FixedWidthInteger & UnsignedInteger) {
        var value: [UInt8] = []
        value.append(big: number)
        append(parameter: type, value)
    }

    /// Zeros behind the parameters, up to a size; throws if they are longer.
    fileprivate func padded(to size: Int) throws(UDPError) -> [UInt8] {
        guard count <= size else { throw .tooLong(count, limit: size) }
        return self + [UInt8](repeating: 0, count: size - count)
    }
}

extension ClientParameters {
    /// The payload of a first message, as long as a HELLO needs it.
    package func encoded() throws(UDPError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(parameter: ParameterType.versions, versions)
        bytes.append(parameter: ParameterType.window, big: window)
        bytes.append(parameter: ParameterType.largestDatagram, big: largestDatagram)
        return try bytes.padded(to: SealedHandshake.messageSize - Noise.overhead)
    }

    /// Reads the payload of a first message.
    package init(_ bytes: Span<UInt8>) throws(UDPError) {
        let list = try ParameterList(bytes)
        versions = try list.versions(in: bytes)
        window = try list.number(ParameterType.window, "window", in: bytes)
        largestDatagram = try list.largestDatagram(in: bytes)
    }
}

extension RelayParameters {
    /// The payload of a second message, as long as a WELCOME needs it.
    package func encoded() throws(UDPError) -> [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .refused(let limit, let milliseconds):
            var value = [limit]
            value.append(big: milliseconds)
            bytes.append(parameter: ParameterType.refusal, value)
        case .welcome(let welcome):
            bytes.append(parameter: ParameterType.versions, welcome.versions)
            bytes.append(parameter: ParameterType.largestDatagram, big: welcome.largestDatagram)
            bytes.append(parameter: ParameterType.id, big: welcome.id)
            bytes.append(parameter: ParameterType.resetToken, welcome.resetToken)
            bytes.append(parameter: ParameterType.limits, welcome.limits.fields)
        }
        return try bytes.padded(to: SealedHandshake.answerSize - Noise.overhead)
    }

    /// Reads the payload of a second message.
    package init(_ bytes: Span<UInt8>) throws(UDPError) {
        let list = try ParameterList(bytes)
        guard !list.has(ParameterType.refusal) else {
            let range = try list.range(ParameterType.refusal, "refusal")
            guard range.count == 5 else { throw .malformed("refusal", at: range.lowerBound) }
            var reader = FieldReader(bytes.extracting(range))
            self = .refused(limit: try reader.number(), milliseconds: try reader.number())
            return
        }
        let token = try list.range(ParameterType.resetToken, "reset token")
        guard token.count == ParameterType.tokenSize else { throw .malformed("reset token", at: token.lowerBound) }
        let limits = try list.range(ParameterType.limits, "limits")
        self = .welcome(
            SealedWelcome(
                id: try list.number(ParameterType.id, "connection id", in: bytes),
                resetToken: [UInt8](copying: bytes.extracting(token)), versions: try list.versions(in: bytes),
                largestDatagram: try list.largestDatagram(in: bytes),
                limits: try Welcome(fields: bytes.extracting(limits))))
    }
}
