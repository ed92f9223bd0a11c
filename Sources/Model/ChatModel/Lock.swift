#if CHAT_TSAN
    import ChatPlatform

    /// Guards a value with a mutex of POSIX, which ThreadSanitizer sees; see the other definition.
    @safe public struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
        private let mutex = POSIXMutex()
        private let value: UnsafeMutablePointer<Value>

        /// A value, which is reached through the lock alone from now on.
        public init(_ value: consuming sending Value) {
            unsafe self.value = .allocate(capacity: 1)
            unsafe self.value.initialize(to: value)
        }

        deinit {
            unsafe value.deinitialize(count: 1)
            unsafe value.deallocate()
        }

        /// Lends the value to one caller at a time.
        public borrowing func withLock<Result: ~Copyable, E: Error>(
            _ body: (inout sending Value) throws(E) -> sending Result
        ) throws(E) -> sending Result {
            mutex.lock()
            defer { mutex.unlock() }
            nonisolated(unsafe) let value = unsafe value
            return try unsafe body(&value.pointee)
        }
    }
#else
    public import Synchronization

    /// Guards a value that several tasks and threads change: who has the lock has the value to itself.
    ///
    /// It is `Mutex` of the standard library. That one waits by a system call of its own on Linux, which
    /// ThreadSanitizer does not see, so that it would report whatever is guarded; a build with the condition
    /// `CHAT_TSAN` (`make tsan`) has a lock that it sees. Nothing is awaited while a lock is held.
    public struct Lock<Value: ~Copyable>: ~Copyable, Sendable {
        @usableFromInline let mutex: Mutex<Value>

        /// A value, which is reached through the lock alone from now on.
        @inlinable public init(_ value: consuming sending Value) {
            mutex = Mutex(value)
        }

        /// Lends the value to one caller at a time.
        @inlinable public borrowing func withLock<Result: ~Copyable, E: Error>(
            _ body: (inout sending Value) throws(E) -> sending Result
        ) throws(E) -> sending Result {
            try mutex.withLock(body)
        }
    }
#endif
