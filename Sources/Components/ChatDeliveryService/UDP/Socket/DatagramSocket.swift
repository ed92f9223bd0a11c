import ChatModel

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A UDP socket that never blocks. IPv6 that also takes IPv4, or IPv4 alone where the system has no IPv6.
struct DatagramSocket: Sendable {
    /// The size requested of the system, which may give less.
    private static let bufferSize: Int32 = 4 << 20

    let descriptor: Int32
    /// Whether addresses are written in IPv4's form.
    let isV4: Bool
    /// Whether the system cuts a run of datagrams out of one call (`UDP_SEGMENT`).
    private(set) var cutsRuns = false
    /// The losses made on purpose, if any.
    let loss: DatagramLoss?
    /// Why nothing leaves, if nothing does.
    let trouble = SendTrouble()

    /// Opens a socket.
    ///
    /// - Parameters:
    ///   - address: where to listen; nil to be given any address and port when sending first.
    ///   - loss: what is lost on purpose.
    init(listeningOn address: NetworkAddress?, loss: DatagramLoss? = nil) throws(DeliveryError) {
        self.loss = loss
        // Only an IPv4 wildcard needs an IPv4 socket: mapped into IPv6 it would mean one interface.
        let wantsV4 = address.map { $0.isV4 } ?? false
        let six = wantsV4 ? -1 : systemSocket(AF_INET6)
        isV4 = six < 0
        descriptor = isV4 ? systemSocket(AF_INET) : six
        guard descriptor >= 0 else { throw Self.failure("opening a UDP socket") }
        do throws(DeliveryError) {
            try prepare(address)
        } catch {
            close(descriptor)
            throw error
        }
    }

    private mutating func prepare(_ address: NetworkAddress?) throws(DeliveryError) {
        if !isV4 { set(IPPROTO_IPV6_NUMBER, IPV6_V6ONLY, address.map { $0.isWildcard ? 0 : 1 } ?? 0) }
        set(SOL_SOCKET, SO_RCVBUF, Self.bufferSize)
        set(SOL_SOCKET, SO_SNDBUF, Self.bufferSize)
        #if os(Linux)
            // Who listens on every address answers from the one that was written to.
            if address?.isWildcard == true {
                let (level, option) = isV4 ? (Int32(IPPROTO_IP), IP_PKTINFO) : (IPPROTO_IPV6_NUMBER, IPV6_RECVPKTINFO)
                set(level, Int32(option), 1)
            }
            // A run of no size is the default; a system that refuses it knows no runs.
            cutsRuns = loss == nil && set(ControlMessage.udp, ControlMessage.segment, 0)
            if loss == nil { set(ControlMessage.udp, ControlMessage.coalesce, 1) }
        #endif
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw Self.failure("preparing a UDP socket")
        }
        guard let address else { return }
        let result = unsafe address.withSystemAddress(isV4: isV4) { unsafe bind(descriptor, $0, $1) }
        guard result == 0 else { throw Self.failure("listening on \(address)") }
    }

    /// Failing to set an option is no failure: the system's default stands.
    @discardableResult private func set(_ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
        var value = value
        return unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    private static func failure(_ what: String) -> DeliveryError {
        let code = errno
        let advice = code == EADDRINUSE ? "; choose another port, or 0 for any" : ""
        return .startup(what, reason: unsafe String(cString: strerror(code)) + advice)
    }

    /// Where the socket listens.
    var localAddress: NetworkAddress? {
        unsafe NetworkAddress.fromSystem { storage, length in unsafe getsockname(descriptor, storage, length) == 0 }
    }

    func shut() {
        close(descriptor)
    }
}

/// Darwin and Glibc give these constants different types.
private func systemSocket(_ family: Int32) -> Int32 {
    #if canImport(Darwin)
        socket(family, SOCK_DGRAM, 0)
    #else
        socket(family, Int32(SOCK_DGRAM.rawValue), 0)
    #endif
}
private let IPPROTO_IPV6_NUMBER = Int32(IPPROTO_IPV6)
