#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

// Datagrams out: those to one peer that have one size are one system call where the system can cut it (RFC 9000 calls
// this generic segmentation offload); everywhere else each is a call of its own.
extension DatagramSocket {
    /// Sends the datagrams of a batch. What the system does not take now is lost, as on any other hop.
    func send(_ batch: borrowing DatagramBatch) {
        let bytes = batch.bytes.span
        var next = 0
        while next < batch.count {
            let run = cutsRuns ? batch.run(from: next) : next..<next + 1
            next = run.upperBound
            guard run.count > 1, sendRun(run, of: batch, bytes) else {
                for index in run {
                    send(bytes.extracting(batch.range(index)), to: batch.peer(index), from: batch.source(index))
                }
                continue
            }
        }
    }

    /// Sends a run with one call; false if the way to this peer takes none: its interface computes no checksums, or
    /// carries only shorter datagrams. That may be so for one peer and not for another, so it is not remembered.
    private func sendRun(_ run: Range<Int>, of batch: borrowing DatagramBatch, _ bytes: Span<UInt8>) -> Bool {
        let first = batch.range(run.lowerBound)
        let all = first.lowerBound..<batch.range(run.upperBound - 1).upperBound
        let isSent = send(
            bytes.extracting(all), to: batch.peer(run.lowerBound), from: batch.source(run.lowerBound),
            segment: first.count)
        return isSent || !(errno == EINVAL || errno == EIO || errno == EMSGSIZE || errno == EOPNOTSUPP)
    }

    /// Sends bytes as one datagram or as a run; false if the system does not take them now.
    @discardableResult
    private func send(
        _ bytes: Span<UInt8>, to peer: NetworkAddress, from local: NetworkAddress?, segment: Int? = nil
    ) -> Bool {
        guard !isV4 || peer.isV4, loss?.strikes() != true else { return false }
        return unsafe bytes.withUnsafeBytes { buffer in
            unsafe peer.withSystemAddress(isV4: isV4) { address, length in
                var part = unsafe iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: buffer.baseAddress), iov_len: buffer.count)
                return unsafe withUnsafeMutablePointer(to: &part) { part in
                    var message = unsafe msghdr()
                    unsafe message.msg_name = UnsafeMutableRawPointer(mutating: address)
                    unsafe message.msg_namelen = length
                    unsafe message.msg_iov = part
                    unsafe message.msg_iovlen = 1
                    let isSent = unsafe transmit(&message, from: local, segment: segment) == buffer.count
                    trouble.note(isSent)
                    return isSent
                }
            }
        }
    }

    #if os(Linux)
        private func transmit(_ message: inout msghdr, from local: NetworkAddress?, segment: Int?) -> Int {
            guard local != nil || segment != nil else { return unsafe sendmsg(descriptor, &message, 0) }
            let room = ControlMessage.room
            return unsafe withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { control in
                unsafe message.msg_control = control.baseAddress
                unsafe message.msg_controllen = ControlMessage.write(
                    from: local, isV4: isV4, segment: segment, to: control)
                return unsafe sendmsg(descriptor, &message, 0)
            }
        }
    #else
        private func transmit(_ message: inout msghdr, from local: NetworkAddress?, segment: Int?) -> Int {
            unsafe sendmsg(descriptor, &message, 0)
        }
    #endif
}

/// What one system call received: a datagram, or several that came from one peer to one address.
struct ReceivedRun {
    /// The bytes of all of them.
    let count: Int
    /// The size of each but the last, which may be shorter.
    let segment: Int
    /// Who sent them.
    let peer: NetworkAddress
    /// The address that they were sent to; nil where the socket listens on that one only.
    let local: NetworkAddress?
}

// Datagrams in.
extension DatagramSocket {
    /// The bytes that one call may bring: a run is no longer than the largest datagram of IP.
    static let longestRun = 65_536

    /// Receives into a buffer of ``longestRun`` bytes; nil if there is nothing.
    func receive(into buffer: inout [UInt8]) -> ReceivedRun? {
        while let received = receiveNext(into: &buffer) {
            if loss?.strikes() != true { return received }
        }
        return nil
    }

    private func receiveNext(into buffer: inout [UInt8]) -> ReceivedRun? {
        var (count, beside) = (0, (local: NetworkAddress?.none, segment: Int?.none))
        let peer = unsafe NetworkAddress.fromSystem { storage, length in
            unsafe buffer.withUnsafeMutableBytes { memory in
                var part = unsafe iovec(iov_base: memory.baseAddress, iov_len: memory.count)
                return unsafe withUnsafeMutablePointer(to: &part) { part in
                    let room = ControlMessage.room
                    return unsafe withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { control in
                        var message = unsafe msghdr()
                        unsafe message.msg_iov = part
                        unsafe message.msg_iovlen = 1
                        // Errors of earlier sends are reported here too; they mean nothing for what comes next.
                        repeat {
                            unsafe message.msg_name = UnsafeMutableRawPointer(storage)
                            unsafe message.msg_namelen = length.pointee
                            unsafe message.msg_control = control.baseAddress
                            unsafe message.msg_controllen = .init(control.count)
                            count = unsafe recvmsg(descriptor, &message, 0)
                        } while count < 0 && (errno == EINTR || errno == ECONNREFUSED)
                        guard count >= 0 else { return false }
                        unsafe length.pointee = unsafe message.msg_namelen
                        #if os(Linux)
                            let filled = unsafe UnsafeRawBufferPointer(control)[..<message.msg_controllen]
                            beside = unsafe ControlMessage.read(UnsafeRawBufferPointer(rebasing: filled))
                        #endif
                        return true
                    }
                }
            }
        }
        return peer.map { ReceivedRun(count: count, segment: beside.segment ?? count, peer: $0, local: beside.local) }
    }
}
