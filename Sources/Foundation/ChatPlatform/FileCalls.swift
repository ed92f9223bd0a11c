#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The system's calls for files, by descriptor and by path.
///
/// A file that is opened here is closed in the programs that this one starts.
package enum FileCalls {
    /// What an opened file is for.
    package enum Access: Sendable {
        case reading
        case readingAndWriting
        /// For reading and writing; made if it is not there.
        case created
        /// As ``created``, and emptied.
        case emptied
        /// For writing; made, and there must be none.
        case new
        /// For writing behind what is there; made if it is not there.
        case appended
        /// A directory.
        case directory

        fileprivate var flags: Int32 {
            switch self {
            case .reading: O_RDONLY
            case .readingAndWriting: O_RDWR
            case .created: O_RDWR | O_CREAT
            case .emptied: O_RDWR | O_CREAT | O_TRUNC
            case .new: O_WRONLY | O_CREAT | O_EXCL
            case .appended: O_WRONLY | O_CREAT | O_APPEND
            case .directory: O_RDONLY | O_DIRECTORY
            }
        }
    }

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - followsLinks: whether the last part of the path may be a symbolic link.
    ///   - waits: whether opening and reading a pipe wait for its other end.
    ///   - permissions: those of a file that is made, as far as the process allows them.
    package static func open(
        _ path: String, _ access: Access, followsLinks: Bool, waits: Bool = false, permissions: UInt32 = 0o600
    ) throws(ErrorNumber) -> Int32 {
        let flags =
            access.flags | O_CLOEXEC | O_NOCTTY | (waits ? 0 : O_NONBLOCK) | (followsLinks ? 0 : O_NOFOLLOW)
        return try retrying { systemOpen(path, flags, mode_t(permissions)) }
    }

    /// Closes a file. A failure loses nothing of what was synchronized.
    package static func close(_ descriptor: Int32) { systemClose(descriptor) }

    /// What the system says of an open file.
    package static func status(_ descriptor: Int32) throws(ErrorNumber) -> SystemFileStatus {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last }
        return SystemFileStatus(status)
    }

    /// What the system says of the file at a path; of a symbolic link itself, not of what it leads to.
    package static func status(at path: String) throws(ErrorNumber) -> SystemFileStatus {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw .last }
        return SystemFileStatus(status)
    }

    /// Changes the nine bits of a file's mode.
    package static func setPermissions(_ permissions: UInt32, of descriptor: Int32) throws(ErrorNumber) {
        guard fchmod(descriptor, mode_t(permissions)) == 0 else { throw .last }
    }

    /// Takes the only lock on a file, without waiting.
    package static func lock(_ descriptor: Int32) throws(ErrorNumber) {
        try retrying { flock(descriptor, LOCK_EX | LOCK_NB) }
    }

    /// Reads some bytes at an offset; 0 at the end of the file.
    package static func read(
        _ descriptor: Int32, at offset: Int, into bytes: inout MutableSpan<UInt8>
    ) throws(ErrorNumber) -> Int {
        try unsafe bytes.withUnsafeMutableBufferPointer { buffer throws(ErrorNumber) in
            try retrying { unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
        }
    }

    /// Writes some bytes at an offset and says how many; perhaps fewer than there are.
    package static func write(_ bytes: Span<UInt8>, to descriptor: Int32, at offset: Int) throws(ErrorNumber) -> Int {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(ErrorNumber) in
            try retrying { unsafe pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
        }
    }

    /// Reads all bytes of a file or pipe into one buffer of the largest size, so that no copy of a secret stays behind
    /// a growing one.
    ///
    /// - Parameter isPipe: whether the other end may still write; then it is waited for.
    /// - Returns: the bytes; nil if there are more than the limit.
    package static func readToEnd(
        _ descriptor: Int32, limit: Int, isPipe: Bool = false
    ) throws(ErrorNumber) -> [UInt8]? {
        var (failure, isTooLong): (ErrorNumber?, Bool) = (nil, false)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit + 1) { buffer, count in
            while count <= limit {
                if isPipe { _ = waitUntilReady(descriptor, for: .reading, milliseconds: -1) }
                let rest = unsafe UnsafeMutableBufferPointer(rebasing: buffer[count...])
                let taken = unsafe systemRead(descriptor, rest.baseAddress, min(rest.count, 1 << 20))
                if taken < 0, errno == EINTR || (isPipe && errno == EAGAIN) { continue }
                if taken < 0 { failure = .last }
                guard taken > 0 else { return }
                count += taken
            }
            isTooLong = true
        }
        if let failure { throw failure }
        return isTooLong ? nil : bytes
    }

    /// Cuts a file off behind a number of bytes.
    package static func truncate(_ descriptor: Int32, to size: Int) throws(ErrorNumber) {
        try retrying { ftruncate(descriptor, off_t(size)) }
    }

    /// Returns when what was written to a file, and its size, would survive the loss of power.
    package static func synchronize(_ descriptor: Int32) throws(ErrorNumber) {
        #if canImport(Darwin)
            // fsync there leaves the bytes in the drive's own cache.
            let result = fcntl(descriptor, F_FULLFSYNC)
        #else
            // The size counts as data that is needed to read the file, so it is flushed too.
            let result = fdatasync(descriptor)
        #endif
        guard result == 0 else { throw .last }
    }

    /// Returns when the names in an open directory would survive the loss of power.
    package static func synchronizeNames(_ descriptor: Int32) throws(ErrorNumber) {
        guard fsync(descriptor) == 0 else { throw .last }
    }
}

/// What the system says of a file.
package struct SystemFileStatus: Hashable, Sendable {
    /// What a file can be.
    package enum Kind: Sendable { case regular, directory, pipe, other }

    package let kind: Kind
    /// Its size in bytes.
    package let size: Int
    /// The lowest nine bits of its mode.
    package let permissions: UInt32
    /// The number of the user to whom it belongs.
    package let owner: UInt32
    /// What tells it apart from all other files of the machine.
    package let identity: Identity

    package struct Identity: Hashable, Sendable {
        fileprivate let device: UInt64
        fileprivate let number: UInt64
    }

    fileprivate init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFIFO: .pipe
            default: .other
            }
        size = Int(status.st_size)
        permissions = UInt32(status.st_mode & 0o777)
        owner = status.st_uid
        identity = Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev), number: UInt64(truncatingIfNeeded: status.st_ino))
    }
}

// The names of the methods hide these.
private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { unsafe open(path, flags, mode) }
private func systemClose(_ descriptor: Int32) { close(descriptor) }
private func systemRead(_ descriptor: Int32, _ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int {
    unsafe read(descriptor, start, count)
}
