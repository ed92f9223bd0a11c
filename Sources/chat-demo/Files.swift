import ChatClient
import ChatDriver

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The few things that the demonstration does with files.
enum Files {
    /// The lines of a text of at most 16 MiB.
    static func lines(of path: String) throws(DriverError) -> [String] {
        let files = SystemFiles()
        var bytes: [UInt8]
        do throws(StorageError) {
            let file = try files.open(path, .reading)
            defer { files.close(file) }
            bytes = try files.readAll(file, limit: 16 << 20)
        } catch {
            throw DriverError("\(error)\nrun this from the package's folder, or give --text FILE")
        }
        if bytes.last == 10 { bytes.removeLast() }
        return bytes.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A new directory that nobody else reads.
    static func temporaryDirectory() throws(DriverError) -> String {
        var template = Array("/tmp/chat-demo-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw DriverError("no directory can be made in /tmp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes what the peers kept.
    static func removeDirectory(_ path: String, peers: [String]) {
        for peer in peers {
            for file in ["journal", "journal.new", "lock"] { unsafe unlink("\(path)/\(peer)/\(file)") }
            unsafe rmdir("\(path)/\(peer)")
        }
        unsafe rmdir(path)
    }
}
