import ChatPlatform

/// A file that a person names: it may be a symbolic link, and a secret may come through a pipe.
///
/// It is opened without waiting and looked at before it is read, and it is read to its end, whatever size the system
/// says that it has: files of `/proc` have none.
package enum NamedFile {
    /// The bytes of a regular file; throws `noFile` for anything else.
    package static func read(_ path: String, limit: Int) throws(StorageError) -> [UInt8] {
        try read(path, limit: limit, mayBePipe: false) { _ in }
    }

    /// The bytes of a regular file or a pipe that nobody but its owner may read or change; waits for a pipe's writer.
    static func readPrivate(_ path: String, limit: Int) throws(StorageError) -> [UInt8] {
        try read(path, limit: limit, mayBePipe: true) { permissions throws(StorageError) in
            guard permissions & 0o077 == 0 else {
                throw .badKey("others may read or change \(path); run: chmod 600 \(path)")
            }
        }
    }

    private static func read(
        _ path: String, limit: Int, mayBePipe: Bool, checking check: (UInt32) throws(StorageError) -> Void
    ) throws(StorageError) -> [UInt8] {
        let file = try calling("open", path) { () throws(ErrorNumber) in
            try FileCalls.open(path, .reading, followsLinks: true)
        }
        defer { FileCalls.close(file) }
        let status = try calling("fstat", path) { () throws(ErrorNumber) in try FileCalls.status(file) }
        let isPipe = status.kind == .pipe
        guard status.kind == .regular || (mayBePipe && isPipe) else { throw .noFile(path: path) }
        try check(status.permissions)
        guard status.size <= limit else { throw .tooLarge(path, count: status.size, limit: limit) }
        let bytes = try calling("read", path) { () throws(ErrorNumber) in
            try FileCalls.readToEnd(file, limit: limit, isPipe: isPipe)
        }
        guard let bytes else { throw .tooLarge(path, count: limit + 1, limit: limit) }
        return bytes
    }
}
