#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Pages of memory for secrets.
package enum SystemMemory {
    /// New pages of zeros, locked where that is allowed and left out of core dumps; address 0 if there are none.
    package static func mapPages(_ size: Int) -> (address: UInt, isLocked: Bool) {
        #if canImport(Darwin)
            let anonymous = MAP_ANON
        #else
            let anonymous = MAP_ANONYMOUS
        #endif
        guard let memory = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | anonymous, -1, 0),
            unsafe memory != MAP_FAILED
        else { return (0, false) }
        #if canImport(Glibc) || canImport(Musl)
            _ = unsafe madvise(memory, size, MADV_DONTDUMP)
        #endif
        return (UInt(bitPattern: memory), unsafe mlock(memory, size) == 0)
    }

    /// Gives pages back.
    package static func unmap(_ address: UInt, _ size: Int) {
        guard let memory = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
        unsafe munmap(memory, size)
    }

    /// Overwrites bytes in a way that the optimizer keeps.
    package static func wipe(_ memory: UnsafeMutablePointer<UInt8>, _ count: Int) {
        #if canImport(Darwin)
            unsafe memset_s(memory, count, 0, count)
        #else
            unsafe explicit_bzero(memory, count)
        #endif
    }
}

#if CHAT_TSAN
    /// A mutex of POSIX, which ThreadSanitizer sees.
    @safe package final class POSIXMutex: @unchecked Sendable {
        // The mutex is reached through the system's calls alone, which are made for several threads.
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>

        package init() {
            unsafe mutex = .allocate(capacity: 1)
            unsafe mutex.initialize(to: pthread_mutex_t())
            unsafe pthread_mutex_init(mutex, nil)
        }

        deinit {
            unsafe pthread_mutex_destroy(mutex)
            unsafe mutex.deallocate()
        }

        package func lock() { unsafe pthread_mutex_lock(mutex) }
        package func unlock() { unsafe pthread_mutex_unlock(mutex) }
    }
#endif
