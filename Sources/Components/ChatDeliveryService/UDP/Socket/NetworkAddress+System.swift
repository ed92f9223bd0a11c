#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

// As the system writes addresses.
extension NetworkAddress {
    /// Whether it means every address of this host.
    var isWildcard: Bool { high == 0 && (low == 0 || low == 0xFFFF << 32) }

    /// Lends the address in the system's form.
    func withSystemAddress<R>(isV4: Bool, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        guard isV4 else { return unsafe withIPv6(body) }
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = port.bigEndian
        four.sin_addr = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
        return unsafe withUnsafeBytes(of: &four) { unsafe Self.lend($0, body) }
    }

    private func withIPv6<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var six = sockaddr_in6()
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = port.bigEndian
        six.sin6_scope_id = scope
        unsafe withUnsafeMutableBytes(of: &six.sin6_addr) { bytes in
            unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return unsafe withUnsafeBytes(of: &six) { unsafe Self.lend($0, body) }
    }

    private static func lend<R>(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R
    {
        guard let base = bytes.baseAddress else { preconditionFailure("a value has an address") }
        return unsafe body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }

    /// Reads an address that the system writes; nil if it writes none.
    static func fromSystem(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Bool
    ) -> NetworkAddress? {
        var storage = sockaddr_storage()
        return unsafe withUnsafeMutableBytes(of: &storage) { bytes -> NetworkAddress? in
            guard let base = bytes.baseAddress else { return nil }
            var length = socklen_t(bytes.count)
            guard unsafe body(base.assumingMemoryBound(to: sockaddr.self), &length) else { return nil }
            return unsafe NetworkAddress(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Reads a `sockaddr` of either family; nil for others.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= MemoryLayout<sockaddr_in>.size else { return nil }
        switch unsafe Int32(bytes.loadUnaligned(as: sockaddr.self).sa_family) {
        case AF_INET:
            let four = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
            self.init(v4: UInt32(bigEndian: four.sin_addr.s_addr), port: UInt16(bigEndian: four.sin_port))
        case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
            var six = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
            let (high, low) = unsafe withUnsafeBytes(of: &six.sin6_addr) { bytes in
                unsafe (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            self.init(
                high: UInt64(bigEndian: high), low: UInt64(bigEndian: low), port: UInt16(bigEndian: six.sin6_port),
                scope: six.sin6_scope_id)
        default: return nil
        }
    }
}
