#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the system knows of this process, and how it ends.
package enum ThisProcess {
    /// Ends the process with an exit code.
    package static func end(_ code: Int32) -> Never { exit(code) }

    /// The value of an environment variable.
    package static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// The most bytes that this process has had in memory.
    package static var peakMemory: Int {
        var usage = rusage()
        #if canImport(Darwin)
            unsafe getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #elseif canImport(Musl)
            unsafe getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss << 10
        #else
            unsafe getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss << 10
        #endif
    }

    /// Bytes of memory that the process has, in whole pages; nil where the system does not tell in `/proc`.
    package static var residentMemory: Int? {
        guard let file = try? FileCalls.open("/proc/self/statm", .reading, followsLinks: true) else { return nil }
        defer { FileCalls.close(file) }
        guard let text = try? FileCalls.readToEnd(file, limit: 256) else { return nil }
        let fields = text.split(separator: 0x20)
        guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// The environment of this process as `NAME=value`.
package func currentEnvironment() -> [String] {
    var texts: [String] = []
    var next = unsafe environ
    while let text = unsafe next.pointee {
        unsafe texts.append(String(cString: text))
        unsafe next += 1
    }
    return texts
}
