import ChatModel
import ChatPlatform

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// `HOST:PORT` as people write it: `127.0.0.1:9220`, `[::1]:9220`, `relay.example:9220`.
struct HostPort: Hashable, Sendable {
    let host: String
    let port: UInt16

    init(_ text: String) throws(DeliveryError) {
        let wrong = DeliveryError.startup(
            "reading '\(text)'", reason: "expected HOST:PORT, such as 127.0.0.1:9220 or [::1]:9220")
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw wrong
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw wrong  // an IPv6 address without brackets: which colon is the port's?
        }
        guard !host.isEmpty else { throw wrong }
        (self.host, self.port) = (String(host), port)
    }

    /// All addresses of the host in the system's order of preference. Blocks while names are looked up.
    func resolve() throws(DeliveryError) -> [NetworkAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        #if canImport(Darwin)
            unsafe hints.ai_socktype = SOCK_DGRAM
        #else
            unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw .startup("looking up '\(host)'", reason: unsafe String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [NetworkAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            let info = unsafe entry.pointee
            let bytes = unsafe UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen))
            if let address = unsafe NetworkAddress(bytes), !found.contains(address) { found.append(address) }
            unsafe next = info.ai_next
        }
        guard !found.isEmpty else { throw .startup("looking up '\(host)'", reason: "no address") }
        return found
    }

    /// The same on a thread of its own, so that no task waits behind it.
    func resolved() async throws(DeliveryError) -> [NetworkAddress] {
        try await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<[NetworkAddress], DeliveryError>, Never>) in
            startThread {
                continuation.resume(returning: Result { () throws(DeliveryError) in try resolve() })
            }
        }.get()
    }
}
