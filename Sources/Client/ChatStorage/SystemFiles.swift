import ChatPlatform

/// The files of the operating system.
package struct SystemFiles: FileSystem {
    package init() {}

    package func makeDirectory(_ path: String) throws(StorageError) {
        do throws(ErrorNumber) { try FileCalls.makeDirectory(path) } catch {
            guard error == .exists else { throw StorageError("mkdir", path, error) }
            return try protectDirectory(path)
        }
        try synchronizeDirectory(Self.parent(of: path))
    }

    private func protectDirectory(_ path: String) throws(StorageError) {
        let descriptor: Int32
        do throws(ErrorNumber) { descriptor = try FileCalls.open(path, .directory, followsLinks: true) } catch {
            // Opening a file in something that is no directory gives the better error.
            if error == .notDirectory { return }
            throw StorageError("open", path, error)
        }
        defer { FileCalls.close(descriptor) }
        try Self.protect(File(descriptor: descriptor, path: path), mode: 0o700)
    }

    package func open(_ path: String, _ opening: FileOpening) throws(StorageError) -> File {
        let access: FileCalls.Access =
            switch opening {
            case .reading: .reading
            case .created: .created
            case .emptied: .emptied
            }
        let descriptor = try calling("open", path) { () throws(ErrorNumber) in
            try FileCalls.open(path, access, followsLinks: false)
        }
        return try checked(File(descriptor: descriptor, path: path), isKept: opening != .reading)
    }

    package func openIfThere(_ path: String) throws(StorageError) -> File? {
        let descriptor: Int32
        do throws(ErrorNumber) { descriptor = try FileCalls.open(path, .readingAndWriting, followsLinks: false) } catch
        {
            guard error == .noEntry else { throw StorageError("open", path, error) }
            return nil
        }
        return try checked(File(descriptor: descriptor, path: path), isKept: true)
    }

    /// A regular file, once it is its owner's alone if it is kept; anything else is closed.
    private func checked(_ file: File, isKept: Bool) throws(StorageError) -> File {
        do throws(StorageError) {
            guard try Self.status(of: file).kind == .regular else { throw .noFile(path: file.path) }
            if isKept { try Self.protect(file, mode: 0o600) }
            return file
        } catch {
            close(file)
            throw error
        }
    }

    private static func status(of file: File) throws(StorageError) -> SystemFileStatus {
        try calling("fstat", file.path) { () throws(ErrorNumber) in try FileCalls.status(file.descriptor) }
    }

    /// Takes from everybody but the owner what a file's mode allows them; refuses the file of another user (STORE-10).
    private static func protect(_ file: File, mode: UInt32) throws(StorageError) {
        let status = try Self.status(of: file)
        guard status.owner == FileCalls.user else { throw .foreign(path: file.path, owner: status.owner) }
        guard status.permissions & 0o077 != 0 else { return }
        try calling("chmod", file.path) { () throws(ErrorNumber) in
            try FileCalls.setPermissions(mode, of: file.descriptor)
        }
    }

    package func lock(_ file: File) throws(StorageError) {
        do throws(ErrorNumber) { try FileCalls.lock(file.descriptor) } catch {
            guard error == .wouldBlock else { throw StorageError("flock", file.path, error) }
            throw .inUse(path: Self.parent(of: file.path))
        }
    }

    package func status(of file: File) throws(StorageError) -> FileStatus {
        let status = try Self.status(of: file)
        return FileStatus(size: status.size, permissions: status.permissions)
    }

    package func sizeInPlace(_ file: File) throws(StorageError) -> Int? {
        let own = try Self.status(of: file)
        do throws(ErrorNumber) {
            return try FileCalls.status(at: file.path).identity == own.identity ? own.size : nil
        } catch {
            guard error == .noEntry || error == .notDirectory else { throw StorageError("stat", file.path, error) }
            return nil
        }
    }

    package func read(
        _ file: File, at offset: Int, into bytes: inout MutableSpan<UInt8>
    ) throws(StorageError) -> Int {
        do throws(ErrorNumber) { return try FileCalls.read(file.descriptor, at: offset, into: &bytes) } catch {
            throw StorageError("read", file.path, error)
        }
    }

    package func write(_ bytes: Span<UInt8>, to file: File, at offset: Int) throws(StorageError) -> Int {
        do throws(ErrorNumber) { return try FileCalls.write(bytes, to: file.descriptor, at: offset) } catch {
            throw StorageError("write", file.path, error, bytes: bytes.count)
        }
    }

    package func truncate(_ file: File, to size: Int) throws(StorageError) {
        try calling("ftruncate", file.path) { () throws(ErrorNumber) in
            try FileCalls.truncate(file.descriptor, to: size)
        }
    }

    package func synchronize(_ file: File) throws(StorageError) {
        try calling("fdatasync", file.path) { () throws(ErrorNumber) in try FileCalls.synchronize(file.descriptor) }
    }

    package func synchronizeDirectory(_ path: String) throws(StorageError) {
        let descriptor = try calling("open", path) { () throws(ErrorNumber) in
            try FileCalls.open(path, .directory, followsLinks: true)
        }
        defer { FileCalls.close(descriptor) }
        do throws(ErrorNumber) { try FileCalls.synchronizeNames(descriptor) } catch {
            // A file system without such a thing as flushing a directory says so, as some network file systems do:
            // names are as durable there as they can be.
            guard error == .invalidArgument || error == .notSupported else { throw StorageError("fsync", path, error) }
        }
    }

    package func rename(_ path: String, to newPath: String) throws(StorageError) {
        try calling("rename", path) { () throws(ErrorNumber) in try FileCalls.rename(path, to: newPath) }
    }

    package func remove(_ path: String) throws(StorageError) {
        do throws(ErrorNumber) { try FileCalls.remove(path) } catch {
            guard error == .noEntry else { throw StorageError("unlink", path, error) }
        }
    }

    package func close(_ file: File) { FileCalls.close(file.descriptor) }

    /// The directory that a path lies in.
    static func parent(of path: String) -> String {
        let parts = path.split(separator: "/").dropLast()
        return (path.hasPrefix("/") ? "/" : parts.isEmpty ? "." : "") + parts.joined(separator: "/")
    }
}

/// Makes a system call, and throws a failure with the call's name and the path.
func calling<R>(
    _ call: String, _ path: String, _ body: () throws(ErrorNumber) -> R
) throws(StorageError) -> R {
    do throws(ErrorNumber) { return try body() } catch { throw StorageError(call, path, error) }
}

extension StorageError {
    /// The error of a failed system call.
    fileprivate init(_ call: String, _ path: String, _ number: ErrorNumber, bytes: Int = 0) {
        self =
            number == .noSpace || number == .overQuota
            ? .full(path: path, bytes: bytes) : .system(call, path: path, errno: number.rawValue)
    }
}
