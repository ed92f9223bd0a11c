import ChatPlatform

/// Secret bytes that are shared by reference, never changed and wiped by their last owner.
///
/// Copying a machine that keeps a secret copies a reference and no key byte. The bytes lie in memory of their
/// own that is locked as far as the system allows and that no core dump contains, are compared in constant
/// time and do not print.
@safe public final class Secret: Sendable {
    /// How many bytes it has.
    public let count: Int
    // Written by `init` alone and read afterwards, so every thread sees the same bytes.
    private nonisolated(unsafe) let memory: UnsafeMutablePointer<UInt8>

    /// Lets a derivation or a random source write the bytes in place; they are zero before.
    public init<E: Error>(count: Int, _ write: (inout MutableSpan<UInt8>) throws(E) -> Void) throws(E) {
        self.count = count
        unsafe memory = SecretMemory.allocate(count)
        var bytes = unsafe MutableSpan(_unsafeStart: memory, count: count)
        try write(&bytes)
    }

    /// Copies bytes that the caller then wipes or never kept.
    public convenience init(copying bytes: Span<UInt8>) {
        self.init(count: bytes.count) { memory in
            for index in bytes.indices { memory[index] = bytes[index] }
        }
    }

    deinit {
        unsafe SystemMemory.wipe(memory, count)
        unsafe SecretMemory.free(memory, count)
    }

    /// Lends the bytes for one operation, which must not keep a copy.
    public func lend<R, E: Error>(to body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try body(unsafe Span(_unsafeStart: memory, count: count))
    }
}

extension Secret: Equatable, CustomStringConvertible, CustomReflectable {
    /// Whether both hold the same bytes, in time that depends on their number only.
    public static func == (left: Secret, right: Secret) -> Bool {
        guard left.count == right.count else { return false }
        return left.lend { leftBytes in
            right.lend { rightBytes in
                var difference: UInt8 = 0
                for index in leftBytes.indices { difference |= leftBytes[index] ^ rightBytes[index] }
                return difference == 0
            }
        }
    }

    /// Its size alone.
    public var description: String { "Secret(\(count) bytes)" }

    /// No children, so that `dump` shows no key byte.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Overwrites secret bytes in a way that the optimizer keeps.
public func wipe(_ bytes: inout MutableSpan<UInt8>) {
    unsafe bytes.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return }
        unsafe SystemMemory.wipe(start, buffer.count)
    }
}
