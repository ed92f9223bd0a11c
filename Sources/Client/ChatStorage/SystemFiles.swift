#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The files of the operating system.
package struct SystemFiles: FileSystem {
    package init() {}

    package func makeDirectory(_ path: String) throws(StorageError) {
        if unsafe mkdir(path, 0o700) == 0 { return try synchronizeDirectory(Self.parent(of: path)) }
        guard errno == EEXIST else { throw StorageError("mkdir", path) }
        guard let directory = Self.open(path, O_RDONLY | O_DIRECTORY, mayBeLink: true) else {
            // Opening a file in something that is no directory gives the better error.
            if errno == ENOTDIR { return }
            throw StorageError("open", path)
        }
        defer { close(directory) }
        try Self.protect(directory, mode: 0o700)
    }

    package func open(_ path: String, _ opening: FileOpening) throws(StorageError) -> File {
        let flags: Int32 =
            switch opening {
            case .reading: O_RDONLY
            case .created: O_RDWR | O_CREAT
            case .emptied: O_RDWR | O_CREAT | O_TRUNC
            }
        guard let file = Self.open(path, flags) else { throw StorageError("open", path) }
        var isKept = true
        if case .reading = opening { isKept = false }
        return try checked(file, isKept: isKept)
    }

    package func openIfThere(_ path: String) throws(StorageError) -> File? {
        if let file = Self.open(path, O_RDWR) { return try checked(file, isKept: true) }
        guard errno == ENOENT else { throw StorageError("open", path) }
        return nil
    }

    /// Opens a file that is no symbolic link, without waiting for the other end of a pipe; nil leaves the reason in `errno`.
    private static func open(_ path: String, _ flags: Int32, mayBeLink: Bool = false) -> File? {
        let flags = flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (mayBeLink ? 0 : O_NOFOLLOW)
        let descriptor = retrying { unsafe systemOpen(path, flags, 0o600) }
        return descriptor >= 0 ? File(descriptor: Int32(descriptor), path: path) : nil
    }

    /// A regular file, once it is its owner's alone if it is kept; anything else is closed.
    private func checked(_ file: File, isKept: Bool) throws(StorageError) -> File {
        do throws(StorageError) {
            guard try Self.status(of: file).st_mode & S_IFMT == S_IFREG else { throw .noFile(path: file.path) }
            if isKept { try Self.protect(file, mode: 0o600) }
            return file
        } catch {
            close(file)
            throw error
        }
    }

    private static func status(of file: File) throws(StorageError) -> stat {
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else { throw StorageError("fstat", file.path) }
        return status
    }

    /// Takes from everybody but the owner what a file's mode allows them; refuses the file of another user (STORE-10).
    private static func protect(_ file: File, mode: mode_t) throws(StorageError) {
        let status = try Self.status(of: file)
        guard status.st_uid == geteuid() else { throw .foreign(path: file.path, owner: status.st_uid) }
        guard status.st_mode & 0o077 != 0 else { return }
        guard fchmod(file.descriptor, mode) == 0 else { throw StorageError("chmod", file.path) }
    }

    package func lock(_ file: File) throws(StorageError) {
        if retrying({ Int(flock(file.descriptor, LOCK_EX | LOCK_NB)) }) == 0 { return }
        guard errno == EWOULDBLOCK else { throw StorageError("flock", file.path) }
        throw .inUse(path: Self.parent(of: file.path))
    }

    package func status(of file: File) throws(StorageError) -> FileStatus {
        let status = try Self.status(of: file)
        return FileStatus(size: Int(status.st_size), permissions: UInt32(status.st_mode & 0o777))
    }

    package func sizeInPlace(_ file: File) throws(StorageError) -> Int? {
        let own = try Self.status(of: file)
        var named = stat()
        guard unsafe lstat(file.path, &named) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw StorageError("stat", file.path) }
            return nil
        }
        return own.st_dev == named.st_dev && own.st_ino == named.st_ino ? Int(own.st_size) : nil
    }

    package func read(
        _ file: File, at offset: Int, into bytes: inout MutableSpan<UInt8>
    ) throws(StorageError) -> Int {
        let count = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            retrying { unsafe pread(file.descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
        }
        guard count >= 0 else { throw StorageError("read", file.path) }
        return count
    }

    package func write(_ bytes: Span<UInt8>, to file: File, at offset: Int) throws(StorageError) -> Int {
        let count = unsafe bytes.withUnsafeBufferPointer { buffer in
            retrying { unsafe pwrite(file.descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
        }
        guard count >= 0 else { throw StorageError("write", file.path, bytes: bytes.count) }
        return count
    }

    package func truncate(_ file: File, to size: Int) throws(StorageError) {
        guard retrying({ Int(ftruncate(file.descriptor, off_t(size))) }) == 0 else {
            throw StorageError("ftruncate", file.path)
        }
    }

    package func synchronize(_ file: File) throws(StorageError) {
        #if canImport(Darwin)
            // fsync there leaves the bytes in the drive's own cache.
            let result = fcntl(file.descriptor, F_FULLFSYNC)
        #else
            // The size counts as data that is needed to read the file, so it is flushed too.
            let result = fdatasync(file.descriptor)
        #endif
        guard result == 0 else { throw StorageError("fdatasync", file.path) }
    }

    package func synchronizeDirectory(_ path: String) throws(StorageError) {
        let descriptor = retrying { unsafe systemOpen(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        guard descriptor >= 0 else { throw StorageError("open", path) }
        let result = fsync(Int32(descriptor))
        let (number, error) = (errno, StorageError("fsync", path))
        close(File(descriptor: Int32(descriptor), path: path))
        guard result == 0 || Self.cannotFlushDirectories(number) else { throw error }
    }

    /// Whether a file system says that it has no such thing as flushing a directory, as some network file systems do:
    /// names are as durable there as they can be.
    private static func cannotFlushDirectories(_ number: Int32) -> Bool { number == EINVAL || number == ENOTSUP }

    package func rename(_ path: String, to newPath: String) throws(StorageError) {
        guard unsafe systemRename(path, newPath) == 0 else { throw StorageError("rename", path) }
    }

    package func remove(_ path: String) throws(StorageError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw StorageError("unlink", path) }
    }

    package func close(_ file: File) {
        // Nothing is lost if this fails: what matters has been synchronized.
        _ = systemClose(file.descriptor)
    }

    /// The directory that a path lies in.
    static func parent(of path: String) -> String {
        let parts = path.split(separator: "/").dropLast()
        return (path.hasPrefix("/") ? "/" : parts.isEmpty ? "." : "") + parts.joined(separator: "/")
    }
}

extension StorageError {
    /// The error of the last failed system call.
    fileprivate init(_ call: String, _ path: String, bytes: Int = 0) {
        let number = errno
        self =
            number == ENOSPC || number == EDQUOT
            ? .full(path: path, bytes: bytes) : .system(call, path: path, errno: number)
    }
}

/// Calls again as long as a signal came between.
private func retrying(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

// The names of the protocol's methods hide these.
private func systemOpen(_ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: mode_t) -> Int {
    Int(unsafe open(path, flags, mode))
}

private func systemRename(_ path: UnsafePointer<CChar>, _ newPath: UnsafePointer<CChar>) -> Int32 {
    unsafe rename(path, newPath)
}

private func systemClose(_ descriptor: Int32) -> Int32 {
    close(descriptor)
}
