public import ChatModel

/// Why a cryptographic operation was not done, or what it found.
public enum CryptoError: Error, RefusalCause, Hashable {
    /// A key, nonce, tag or signature of the wrong size: what it is, how large it was and should be.
    case wrongSize(String, bytes: Int, expected: Int)
    /// More output or input than the construction allows.
    case tooLong(String, bytes: Int, limit: Int)
    /// A value outside the range that the construction allows.
    case outOfRange(String, value: Int, allowed: ClosedRange<Int>)
    /// A public key that gives everybody the same result, or is not the encoding of a point.
    case weakKey(String)
    /// A tag or a signature that does not fit what it stands for.
    case authenticationFailed(String)
    /// The system has not enough memory for a password hash of this many bytes.
    case outOfMemory(bytes: Int)

    /// The words of the interoperability shim.
    public var code: String {
        switch self {
        case .wrongSize: "malformed"
        case .tooLong: "too_large"
        case .outOfRange: "out_of_range"
        case .weakKey: "weak_key"
        case .authenticationFailed: "authentication_failed"
        case .outOfMemory: "out_of_memory"
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .wrongSize(let what, let bytes, let expected): "\(what) has \(bytes) bytes instead of \(expected)"
        case .tooLong(let what, let bytes, let limit): "\(what) has \(bytes) bytes; at most \(limit) allowed"
        case .outOfRange(let what, let value, let allowed):
            "\(what) is \(value); \(allowed.lowerBound) to \(allowed.upperBound) allowed"
        case .weakKey(let what): "\(what) is a low-order or invalid curve point"
        case .authenticationFailed(let what): "\(what) does not verify"
        case .outOfMemory(let bytes): "no \(bytes) bytes of memory for a password hash"
        }
    }
}

/// Refuses a value of the wrong size before its address reaches C, which could not tell.
func check(_ what: @autoclosure () -> String, _ bytes: Int, is expected: Int) throws(CryptoError) {
    guard bytes == expected else { throw .wrongSize(what(), bytes: bytes, expected: expected) }
}

/// Refuses a parameter outside what the construction allows.
func check(_ what: String, _ value: Int, within allowed: ClosedRange<Int>) throws(CryptoError) {
    guard allowed.contains(value) else { throw .outOfRange(what, value: value, allowed: allowed) }
}
