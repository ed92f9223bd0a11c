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
    private let isV4: Bool
    /// The losses made on purpose, if any.
    private let loss: DatagramLoss?

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

    private func prepare(_ address: NetworkAddress?) throws(DeliveryError) {
        if !isV4 { set(IPPROTO_IPV6_NUMBER, IPV6_V6ONLY, address.map { $0.isWildcard ? 0 : 1 } ?? 0) }
        set(SOL_SOCKET, SO_RCVBUF, Self.bufferSize)
        set(SOL_SOCKET, SO_SNDBUF, Self.bufferSize)
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw Self.failure("preparing a UDP socket")
        }
        guard let address else { return }
        let result = unsafe address.withSystemAddress(isV4: isV4) { unsafe bind(descriptor, $0, $1) }
        guard result == 0 else { throw Self.failure("listening on \(address)") }
    }

    /// Failing to set an option is no failure: the system's default stands.
    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
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

    /// Sends one datagram; false if the system does not take it now, which is the same as losing it.
    @discardableResult func send(_ bytes: Span<UInt8>, to peer: NetworkAddress) -> Bool {
        guard !isV4 || peer.isV4, loss?.strikes() != true else { return false }
        return unsafe bytes.withUnsafeBytes { buffer in
            unsafe peer.withSystemAddress(isV4: isV4) { address, length in
                unsafe sendto(descriptor, buffer.baseAddress, buffer.count, 0, address, length) == buffer.count
            }
        }
    }

    /// Receives one datagram into a buffer; nil if there is none.
    func receive(into buffer: inout [UInt8]) -> (count: Int, from: NetworkAddress)? {
        while let received = receiveNext(into: &buffer) {
            if loss?.strikes() != true { return received }
        }
        return nil
    }

    private func receiveNext(into buffer: inout [UInt8]) -> (count: Int, from: NetworkAddress)? {
        var count = 0
        let from = unsafe NetworkAddress.fromSystem { storage, length in
            unsafe buffer.withUnsafeMutableBytes { memory in
                // Errors of earlier sends are reported here too; they mean nothing for what comes next.
                repeat {
                    count = unsafe recvfrom(descriptor, memory.baseAddress, memory.count, 0, storage, length)
                } while count < 0 && (errno == EINTR || errno == ECONNREFUSED)
            }
            return count >= 0
        }
        return from.map { (count, $0) }
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
