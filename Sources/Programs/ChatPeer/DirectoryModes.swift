import ChatPlatform

/// What of a data directory others could read or write before it was opened (STORE-10).
enum DirectoryModes {
    /// The directory and its files with modes by which group or others may do something: `data (0755)`.
    ///
    /// Looked at before the directory is opened, since opening it takes these rights away.
    static func exposed(in path: String) -> [String] {
        [path, "\(path)/lock", "\(path)/journal", "\(path)/journal.new"].compactMap { path in
            guard let status = try? FileCalls.status(at: path), [.directory, .regular].contains(status.kind),
                status.permissions & 0o077 != 0
            else { return nil }
            let digits = String(status.permissions, radix: 8)
            return "\(path) (\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits))"
        }
    }
}
