import ChatClient
import ChatDriver
import ChatPlatform
import ChatStorage

/// The few things that the demonstration does with files.
enum Files {
    /// The lines of a text of at most 16 MiB.
    static func lines(of path: String) throws(DriverError) -> [String] {
        var bytes: [UInt8]
        do throws(DriverError) { bytes = try Self.bytes(of: path) } catch {
            throw DriverError("\(error)\nrun this from the package's folder, or give --text FILE")
        }
        if bytes.last == 10 { bytes.removeLast() }
        return bytes.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A file of at most 32 MiB.
    static func bytes(of path: String) throws(DriverError) -> [UInt8] {
        let files = SystemFiles()
        do throws(StorageError) {
            let file = try files.open(path, .reading)
            defer { files.close(file) }
            return try files.readAll(file, limit: 32 << 20)
        } catch { throw DriverError("\(error)") }
    }

    /// Makes a file of random bytes.
    static func makeFile(_ path: String, bytes count: Int) throws(DriverError) {
        let files = SystemFiles()
        let words = (0..<(count + 7) / 8).map { _ in UInt64.random(in: 0 ... .max) }
        let bytes = unsafe words.withUnsafeBytes { unsafe Array($0) }
        do throws(StorageError) {
            let file = try files.open(path, .emptied)
            defer { files.close(file) }
            try files.writeAll(bytes.span.extracting(first: count), to: file, at: 0)
        } catch { throw DriverError("\(error)") }
    }

    /// Removes a file, or a directory with files of some names.
    static func remove(_ path: String, with names: [String]) {
        for name in names { try? FileCalls.remove("\(path)/\(name)") }
        try? FileCalls.remove(path)
        try? FileCalls.removeDirectory(path)
    }

    /// A new directory that nobody else reads.
    static func temporaryDirectory() throws(DriverError) -> String {
        do throws(ErrorNumber) { return try FileCalls.makeTemporaryDirectory("/tmp/chat-demo-") } catch {
            throw DriverError("no directory can be made in /tmp: \(error)")
        }
    }

    /// Removes what the peers kept.
    static func removeDirectory(_ path: String, peers: [String]) {
        for peer in peers {
            for file in ["journal", "journal.new", "lock"] { try? FileCalls.remove("\(path)/\(peer)/\(file)") }
            try? FileCalls.removeDirectory("\(path)/\(peer)")
        }
        try? FileCalls.removeDirectory(path)
    }
}
