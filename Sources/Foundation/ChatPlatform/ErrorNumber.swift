#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The number by which the system says why a call failed.
package struct ErrorNumber: Error, RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// The number that the last failed call of this thread left.
    package static var last: ErrorNumber { ErrorNumber(rawValue: errno) }

    /// The number in the system's words.
    package var description: String { unsafe String(cString: strerror(rawValue)) }

    package static let accessDenied = ErrorNumber(rawValue: EACCES)
    package static let brokenPipe = ErrorNumber(rawValue: EPIPE)
    package static let crossesDevices = ErrorNumber(rawValue: EXDEV)
    package static let exists = ErrorNumber(rawValue: EEXIST)
    package static let inputOutput = ErrorNumber(rawValue: EIO)
    package static let interrupted = ErrorNumber(rawValue: EINTR)
    package static let invalidArgument = ErrorNumber(rawValue: EINVAL)
    package static let invalidBytes = ErrorNumber(rawValue: EILSEQ)
    package static let nameTooLong = ErrorNumber(rawValue: ENAMETOOLONG)
    package static let noEntry = ErrorNumber(rawValue: ENOENT)
    package static let noSpace = ErrorNumber(rawValue: ENOSPC)
    package static let noSuchCall = ErrorNumber(rawValue: ENOSYS)
    package static let notDirectory = ErrorNumber(rawValue: ENOTDIR)
    package static let notPermitted = ErrorNumber(rawValue: EPERM)
    package static let notSupported = ErrorNumber(rawValue: ENOTSUP)
    package static let operationNotSupported = ErrorNumber(rawValue: EOPNOTSUPP)
    package static let overQuota = ErrorNumber(rawValue: EDQUOT)
    package static let readOnly = ErrorNumber(rawValue: EROFS)
    package static let timedOut = ErrorNumber(rawValue: ETIMEDOUT)
    package static let tooManyFiles = ErrorNumber(rawValue: EMFILE)
    package static let tooManyFilesOfAll = ErrorNumber(rawValue: ENFILE)
    package static let tooManyLinks = ErrorNumber(rawValue: EMLINK)
    package static let wouldBlock = ErrorNumber(rawValue: EWOULDBLOCK)

    /// Whether a call that does not wait would have waited.
    package var meansTryAgain: Bool { rawValue == EAGAIN || rawValue == EWOULDBLOCK }
}

/// Calls again as long as a signal came between; throws the number of any other failure.
@discardableResult
func retrying<Number: SignedInteger>(_ call: () -> Number) throws(ErrorNumber) -> Number {
    while true {
        let result = call()
        if result >= 0 { return result }
        guard errno == EINTR else { throw .last }
    }
}
