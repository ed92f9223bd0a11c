/// The few system calls that storage makes, so that tests can fail, tear or drop each one in step.
package protocol FileSystem: Sendable {
    /// Makes a directory for its owner alone, and its name durable; one that exists is made the owner's alone.
    func makeDirectory(_ path: String) throws(StorageError)
    /// Opens a file; one that may be written is its owner's alone afterwards, and one of another user is refused.
    func open(_ path: String, _ opening: FileOpening) throws(StorageError) -> File
    /// Opens a file for reading and writing, the same way; nil if it is not there.
    func openIfThere(_ path: String) throws(StorageError) -> File?
    /// Takes the only lock on a file, which lasts until the file is closed or the process ends.
    func lock(_ file: File) throws(StorageError)
    /// How large a file is, in bytes, and who may do what with it: the lowest nine bits of its mode.
    func status(of file: File) throws(StorageError) -> FileStatus
    /// How large a file is; nil if its path does not lead to it any more.
    func sizeInPlace(_ file: File) throws(StorageError) -> Int?
    /// Reads some bytes at an offset; 0 at the end of the file.
    func read(_ file: File, at offset: Int, into bytes: inout MutableSpan<UInt8>) throws(StorageError) -> Int
    /// Writes some bytes at an offset and says how many; perhaps fewer than there are.
    func write(_ bytes: Span<UInt8>, to file: File, at offset: Int) throws(StorageError) -> Int
    /// Cuts a file off behind a number of bytes.
    func truncate(_ file: File, to size: Int) throws(StorageError)
    /// Returns when what was written to a file, and its size, would survive the loss of power.
    func synchronize(_ file: File) throws(StorageError)
    /// Returns when the names in a directory would survive the loss of power.
    func synchronizeDirectory(_ path: String) throws(StorageError)
    /// Gives a file another name, in the place of whatever had that name.
    func rename(_ path: String, to newPath: String) throws(StorageError)
    /// Removes a file; one that is not there is no error.
    func remove(_ path: String) throws(StorageError)
    /// Closes a file and gives up its lock.
    func close(_ file: File)
}

/// An open file: the number by which the system knows it, and its path for error messages.
package struct File: Sendable, Hashable {
    package let descriptor: Int32
    package let path: String

    package init(descriptor: Int32, path: String) {
        (self.descriptor, self.path) = (descriptor, path)
    }
}

/// How to open a file.
package enum FileOpening: Sendable {
    /// For reading only; it must be there already.
    case reading
    /// For reading and writing; made if it is not there, for its owner alone.
    case created
    /// As ``created``, and emptied.
    case emptied
}

/// Size and permissions of a file.
package struct FileStatus: Sendable, Hashable {
    /// Its size in bytes.
    package let size: Int
    /// The lowest nine bits of its mode.
    package let permissions: UInt32

    package init(size: Int, permissions: UInt32) {
        (self.size, self.permissions) = (size, permissions)
    }
}

extension FileSystem {
    /// Reads a whole file of at most a number of bytes.
    package func readAll(_ file: File, limit: Int) throws(StorageError) -> [UInt8] {
        let size = try status(of: file).size
        guard size <= limit else { throw .tooLarge(file.path, count: size, limit: limit) }
        var bytes = [UInt8](repeating: 0, count: size)
        var offset = 0
        while offset < size {
            var span = bytes.mutableSpan
            var rest = span._mutatingExtracting(offset..<size)
            let count = try read(file, at: offset, into: &rest)
            guard count > 0 else { break }
            offset += count
        }
        bytes.removeLast(size - offset)
        return bytes
    }

    /// Writes all bytes at an offset, in as many calls as it takes.
    package func writeAll(_ bytes: Span<UInt8>, to file: File, at offset: Int) throws(StorageError) {
        var written = 0
        while written < bytes.count {
            let rest = bytes.extracting(written..<bytes.count)
            let count = try write(rest, to: file, at: offset + written)
            // A call that takes nothing and reports nothing would go on forever.
            guard count > 0 else { throw .full(path: file.path, bytes: rest.count) }
            written += count
        }
    }
}
