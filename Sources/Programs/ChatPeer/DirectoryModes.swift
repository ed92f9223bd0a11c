#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What of a data directory others could read or write before it was opened (STORE-10).
enum DirectoryModes {
    /// The directory and its files with modes by which group or others may do something: `data (0755)`.
    ///
    /// Looked at before the directory is opened, since opening it takes these rights away.
    static func exposed(in path: String) -> [String] {
        [path, "\(path)/lock", "\(path)/journal", "\(path)/journal.new"].compactMap { path in
            var status = stat()
            guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFLNK, status.st_mode & 0o077 != 0
            else { return nil }
            let digits = String(status.st_mode & 0o777, radix: 8)
            return "\(path) (\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits))"
        }
    }
}
