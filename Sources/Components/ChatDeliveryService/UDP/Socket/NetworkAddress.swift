/// Where datagrams come from and go to: an IPv6 address, or an IPv4 address mapped into one, and a port.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes of the address.
    package let high: UInt64
    /// The last eight bytes of the address.
    package let low: UInt64
    /// The port.
    package let port: UInt16
    /// The interface of a link-local address; 0 otherwise.
    package let scope: UInt32

    /// An IPv6 address.
    package init(high: UInt64, low: UInt64, port: UInt16, scope: UInt32 = 0) {
        (self.high, self.low, self.port, self.scope) = (high, low, port, scope)
    }

    /// An IPv4 address.
    package init(v4 address: UInt32, port: UInt16) {
        self.init(high: 0, low: 0xFFFF << 32 | UInt64(address), port: port)
    }

    /// Whether it is an IPv4 address.
    package var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// Who is behind it, for quotas: an IPv4 address, or the first half of an IPv6 address, which one household has.
    package var host: UInt64 { isV4 ? low : high }

    /// As it is written: `127.0.0.1:9220` or `[::1]:9220`.
    package var description: String {
        if isV4 {
            return (0..<4).map { String(UInt8(truncatingIfNeeded: low >> UInt64(24 - 8 * $0))) }.joined(separator: ".")
                + ":\(port)"
        }
        let groups = [high, low].flatMap { half in
            (0..<4).map { UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * $0)) }
        }
        return "[\(Self.compressed(groups))\(scope == 0 ? "" : "%\(scope)")]:\(port)"
    }

    /// RFC 5952: the longest run of at least two zero groups becomes `::`.
    private static func compressed(_ groups: [UInt16]) -> String {
        var best = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start > max(1, best.count) { best = start..<end }
            start = max(end, start + 1)
        }
        let words = groups.map { String($0, radix: 16) }
        guard !best.isEmpty else { return words.joined(separator: ":") }
        return words[..<best.lowerBound].joined(separator: ":") + "::"
            + words[best.upperBound...].joined(separator: ":")
    }
}
