#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What travels beside the bytes of a system call: which of our addresses, and how long the datagrams of a run are.
///
/// Linux only; on other systems a datagram goes out from the address that the system chooses, one for each call.
enum ControlMessage {
    /// Bytes of room that every message below needs, at most: two headers of 16 bytes with 24 bytes of data.
    static let room = 96

    #if os(Linux)
        /// Constants that Glibc's module does not import: `SOL_UDP`, `UDP_SEGMENT` and `UDP_GRO`.
        static let udp: Int32 = 17
        static let segment: Int32 = 103
        static let coalesce: Int32 = 104
        private static let (ip, ipv6) = (Int32(IPPROTO_IP), Int32(IPPROTO_IPV6))
        private static let headerSize = MemoryLayout<cmsghdr>.size
        private static let word = MemoryLayout<Int>.size

        /// Writes what one system call needs; returns the bytes written.
        ///
        /// - Parameters:
        ///   - local: the address from which the datagrams go out; nil for the system's choice.
        ///   - segment: the size of each datagram of a run but the last; nil for a single datagram.
        static func write(
            from local: NetworkAddress?, isV4: Bool, segment size: Int?, to memory: UnsafeMutableRawBufferPointer
        ) -> Int {
            var end = 0
            if let local, isV4 {
                // struct in_pktinfo: interface, our address, address of the header. Zero means: by the routes.
                end = unsafe begin(ip, Int32(IP_PKTINFO), count: 12, at: end, in: memory) { data in
                    let address = UInt32(truncatingIfNeeded: local.low).bigEndian
                    unsafe data.storeBytes(of: address, toByteOffset: 4, as: UInt32.self)
                }
            } else if let local {
                // struct in6_pktinfo: our address, interface.
                end = unsafe begin(ipv6, Int32(IPV6_PKTINFO), count: 20, at: end, in: memory) { data in
                    unsafe data.storeBytes(of: local.high.bigEndian, as: UInt64.self)
                    unsafe data.storeBytes(of: local.low.bigEndian, toByteOffset: 8, as: UInt64.self)
                }
            }
            guard let size else { return end }
            return unsafe begin(udp, segment, count: 2, at: end, in: memory) { data in
                unsafe data.storeBytes(of: UInt16(clamping: size), as: UInt16.self)
            }
        }

        private static func begin(
            _ level: Int32, _ type: Int32, count: Int, at start: Int, in memory: UnsafeMutableRawBufferPointer,
            _ write: (UnsafeMutableRawBufferPointer) -> Void
        ) -> Int {
            let end = start + headerSize + (count + word - 1) / word * word
            let message = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<end])
            unsafe message.initializeMemory(as: UInt8.self, repeating: 0)
            unsafe message.storeBytes(of: headerSize + count, as: Int.self)
            unsafe message.storeBytes(of: level, toByteOffset: word, as: Int32.self)
            unsafe message.storeBytes(of: type, toByteOffset: word + 4, as: Int32.self)
            unsafe write(UnsafeMutableRawBufferPointer(rebasing: message[headerSize...]))
            return end
        }

        /// Reads what came with datagrams: the address that they were sent to, and the size of each but the last if
        /// there are several.
        static func read(_ memory: UnsafeRawBufferPointer) -> (local: NetworkAddress?, segment: Int?) {
            var (local, segment): (NetworkAddress?, Int?) = (nil, nil)
            var start = 0
            while start + headerSize <= memory.count {
                let length = unsafe memory.loadUnaligned(fromByteOffset: start, as: Int.self)
                guard length >= headerSize, length <= memory.count - start else { break }
                let level = unsafe memory.loadUnaligned(fromByteOffset: start + word, as: Int32.self)
                let type = unsafe memory.loadUnaligned(fromByteOffset: start + word + 4, as: Int32.self)
                let data = unsafe UnsafeRawBufferPointer(rebasing: memory[start + headerSize..<start + length])
                switch (level, type) {
                case (ip, Int32(IP_PKTINFO)) where data.count >= 12:
                    let address = unsafe data.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
                    local = NetworkAddress(v4: UInt32(bigEndian: address), port: 0)
                case (ipv6, Int32(IPV6_PKTINFO)) where data.count >= 20:
                    local = unsafe NetworkAddress(
                        high: UInt64(bigEndian: data.loadUnaligned(as: UInt64.self)),
                        low: UInt64(bigEndian: data.loadUnaligned(fromByteOffset: 8, as: UInt64.self)), port: 0)
                case (udp, coalesce) where data.count >= 4:
                    segment = unsafe Int(data.loadUnaligned(as: Int32.self))
                default: break
                }
                start += (length + word - 1) / word * word
            }
            return (local.flatMap { $0.isUnicast ? $0 : nil }, segment)
        }
    #endif
}

extension NetworkAddress {
    /// Whether a datagram may come from it: neither a group nor everybody nor nobody.
    var isUnicast: Bool {
        guard isV4 else { return high >> 56 != 0xFF && !isWildcard }
        return (1..<224).contains(low >> 24 & 0xFF)
    }
}
