#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Names of files and directories.
extension FileCalls {
    /// Makes a directory for its owner alone.
    package static func makeDirectory(_ path: String) throws(ErrorNumber) {
        guard unsafe mkdir(path, 0o700) == 0 else { throw .last }
    }

    /// Makes a directory of a new name for its owner alone, and returns its path.
    ///
    /// - Parameter prefix: the path without the part that is made up.
    package static func makeTemporaryDirectory(_ prefix: String) throws(ErrorNumber) -> String {
        var template = Array("\(prefix)XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw .last }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Gives a file another name, in the place of whatever had that name.
    package static func rename(_ path: String, to newPath: String) throws(ErrorNumber) {
        guard systemRename(path, newPath) == 0 else { throw .last }
    }

    /// Gives a file a second name, where there is none of that name.
    package static func link(_ path: String, as newPath: String) throws(ErrorNumber) {
        guard systemLink(path, newPath) == 0 else { throw .last }
    }

    /// Removes a file.
    package static func remove(_ path: String) throws(ErrorNumber) {
        guard unsafe unlink(path) == 0 else { throw .last }
    }

    /// Removes an empty directory.
    package static func removeDirectory(_ path: String) throws(ErrorNumber) {
        guard unsafe rmdir(path) == 0 else { throw .last }
    }

    /// What the user may do with what is at a path.
    package enum Permission: Sendable { case existing, executing, writingAndSearching }

    /// Whether the user may; throws why not.
    package static func check(_ permission: Permission, at path: String) throws(ErrorNumber) {
        let mode =
            switch permission {
            case .existing: F_OK
            case .executing: X_OK
            case .writingAndSearching: W_OK | X_OK
            }
        guard unsafe access(path, mode) == 0 else { throw .last }
    }

    /// Whether the user may.
    package static func may(_ permission: Permission, at path: String) -> Bool {
        (try? check(permission, at: path)) != nil
    }

    /// The path without symbolic links and detours; nil where there is nothing.
    package static func resolved(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// The names in a directory, in no order; nil if it is none.
    package static func names(in path: String) -> [String]? {
        guard let directory = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The number of the user for whom the process works.
    package static var user: UInt32 { geteuid() }
}

// The names of the methods hide these.
private func systemRename(_ path: String, _ newPath: String) -> Int32 { unsafe rename(path, newPath) }
private func systemLink(_ path: String, _ newPath: String) -> Int32 { unsafe link(path, newPath) }
