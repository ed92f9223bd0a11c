import Foundation

/// What the engine asks of the file system, with reasons that name the path.
enum Files {
    /// Makes a folder that only this user reads, unless it is there.
    static func makeFolder(_ path: String) throws(StartError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw StartError(.inputOutput, "\(path): the folder cannot be created") }
    }

    /// Takes a lock on the file of a database that goes with the process: whatever names the file has, it has one engine.
    static func lock(_ path: String) throws(StartError) -> FileHandle {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartError(.inputOutput, "\(path): the database cannot be opened for writing")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StartError(.inputOutput, "\(path): another engine uses the database")
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// The name of a file as long as not all of it is on disk.
    static func unfinished(_ path: String) -> String { path + ".unfinished" }

    /// Writes a file whole: it has its name when all of it is on disk.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let unfinished = unfinished(path)
        guard FileManager.default.createFile(atPath: unfinished, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: unfinished)
        else { throw CocoaError(.fileWriteUnknown) }
        try file.write(contentsOf: bytes)
        try file.synchronize()
        try file.close()
        guard unsafe rename(unfinished, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        let folder = unsafe open((path as NSString).deletingLastPathComponent, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
