#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The request to the system, at the start of a process that keeps secrets, to write no core dumps.
package enum CoreDumps {
    /// Forbids core dumps of this process, and on Linux with Glibc looking into it by other processes of the same user.
    ///
    /// A library must not decide that for its application; programs do (PEER-22).
    ///
    /// - Returns: whether the system agreed.
    @discardableResult
    package static func forbid() -> Bool {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        #if canImport(Glibc)
            let hasLimit = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
            return isUndumpable() && hasLimit
        #else
            return unsafe setrlimit(RLIMIT_CORE, &none) == 0
        #endif
    }

    #if canImport(Glibc)
        /// `prctl(PR_SET_DUMPABLE, 0)`, which is what counts where dumps are piped to a program: the limit does not there.
        private static func isUndumpable() -> Bool {
            // A function with variable arguments is not imported; with integers alone it is called like any other.
            typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
            guard let symbol = unsafe dlsym(nil, "prctl") else { return false }
            let control = unsafe unsafeBitCast(symbol, to: Control.self)
            let setDumpable: Int32 = 4
            return control(setDumpable, 0, 0, 0, 0) == 0
        }
    #endif
}
