#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

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
        try read(path, limit: limit, mayBePipe: true) { mode throws(StorageError) in
            guard mode & 0o077 == 0 else {
                throw .badKey("others may read or change \(path); run: chmod 600 \(path)")
            }
        }
    }

    private static func read(
        _ path: String, limit: Int, mayBePipe: Bool, checking check: (mode_t) throws(StorageError) -> Void
    ) throws(StorageError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path: path, errno: errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system("fstat", path: path, errno: errno) }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG || (mayBePipe && kind == S_IFIFO) else { throw .noFile(path: path) }
        try check(status.st_mode)
        guard Int(status.st_size) <= limit else { throw .tooLarge(path, count: Int(status.st_size), limit: limit) }
        return try readToEnd(descriptor, path, limit: limit, isPipe: kind == S_IFIFO)
    }

    /// Reads into one buffer of the largest size, so that no copy of a secret stays behind a growing one.
    private static func readToEnd(
        _ descriptor: Int32, _ path: String, limit: Int, isPipe: Bool
    ) throws(StorageError) -> [UInt8] {
        var (failure, isTooLong): (Int32, Bool) = (0, false)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit + 1) { buffer, count in
            while count <= limit {
                if isPipe { waitForInput(descriptor) }
                let rest = unsafe UnsafeMutableBufferPointer(rebasing: buffer[count...])
                let taken = unsafe systemRead(descriptor, rest.baseAddress, min(rest.count, 1 << 20))
                if taken < 0, errno == EINTR || (isPipe && errno == EAGAIN) { continue }
                if taken < 0 { failure = errno }
                guard taken > 0 else { return }
                count += taken
            }
            isTooLong = true
        }
        guard failure == 0 else { throw .system("read", path: path, errno: failure) }
        guard !isTooLong else { throw .tooLarge(path, count: limit + 1, limit: limit) }
        return bytes
    }

    private static func waitForInput(_ descriptor: Int32) {
        var entry = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: POLLIN), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
    }
}

private func systemRead(_ descriptor: Int32, _ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int {
    unsafe read(descriptor, start, count)
}
