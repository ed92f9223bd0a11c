import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What the system said when it last refused to send a datagram: no way there, or not allowed.
final class SendTrouble: Sendable {
    private let number = Atomic<Int32>(0)

    /// The reason in words; nil if the last datagram was taken.
    var words: String? {
        let number = number.load(ordering: .relaxed)
        return number == 0 ? nil : unsafe String(cString: strerror(number))
    }

    /// Notes how a datagram was taken; leaves `errno` as it is.
    func note(_ isSent: Bool) {
        if isSent {
            if number.load(ordering: .relaxed) != 0 { number.store(0, ordering: .relaxed) }
        } else if Self.meaningful.contains(errno) {
            number.store(errno, ordering: .relaxed)
        }
    }

    /// Errors that will come again; others are of one moment or of one datagram.
    private static let meaningful = [EPERM, EACCES, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL, EAFNOSUPPORT]
}
