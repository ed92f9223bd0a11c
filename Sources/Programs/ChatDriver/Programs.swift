#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Where the programs of this package are: beside the one that runs.
package enum Programs {
    /// The directory of this program.
    package static let directory: String = {
        let program = CommandLine.arguments.first ?? ""
        guard let resolved = unsafe realpath(program, nil) else { return "." }
        defer { unsafe free(resolved) }
        let path = unsafe String(cString: resolved)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }()

    /// Whether a program has been built.
    package static func has(_ name: String) -> Bool {
        unsafe access("\(directory)/\(name)", X_OK) == 0
    }
}
