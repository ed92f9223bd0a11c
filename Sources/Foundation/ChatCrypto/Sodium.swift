public import ChatModel
import CSodium

/// The library underneath, made ready once.
enum Sodium {
    /// Chooses the fastest code for this processor; the first use anywhere waits for it.
    private static let started = sodium_init()

    /// To be called before anything else of libsodium; costs a load after the first time.
    @inline(__always) static func start() { _ = started }

    /// The address that C gets for no bytes, because some of its parameters refuse null.
    nonisolated(unsafe) static let nowhere = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
}

// A span is an address and a count, and its owner neither moves nor goes while the span lives. So an
// address taken from a parameter is good until the function returns, and C can be called flat instead
// of in five nested closures. It must not be kept.
extension Span<UInt8> {
    /// Where the bytes are; some valid address where there are none.
    var start: UnsafePointer<UInt8> {
        unsafe withUnsafeBufferPointer { unsafe $0.baseAddress ?? UnsafePointer(Sodium.nowhere) }
    }
}

extension MutableSpan<UInt8> {
    /// Where the bytes are; some valid address where there are none.
    var start: UnsafeMutablePointer<UInt8> {
        mutating get { unsafe withUnsafeMutableBufferPointer { unsafe $0.baseAddress ?? Sodium.nowhere } }
    }
}

extension StaticString {
    /// The bytes of a literal, which live as long as the program.
    func lend<R, E: Error>(to body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try body(unsafe Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount))
    }
}

extension Secret {
    /// A part of a secret as a secret of its own.
    public func part(_ range: Range<Int>) -> Secret {
        lend { Secret(copying: $0.extracting(range)) }
    }

    /// Several secrets, one behind the other.
    public static func joining(_ parts: [Secret]) -> Secret {
        Secret(count: parts.reduce(0) { $0 + $1.count }) { bytes in
            var offset = 0
            for part in parts {
                part.lend { source in
                    for index in source.indices { bytes[offset + index] = source[index] }
                }
                offset += part.count
            }
        }
    }
}
