import ChatClient
import ChatContent
import ChatCrypto
import ChatModel
import ChatWire
import ChatStorage

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The directory where files that arrive are put.
///
/// Nothing that is there is ever overwritten: a second `walrus.txt` becomes `walrus (2).txt`. A file appears under its
/// name when it is whole and would survive the loss of power.
struct Downloads: Sendable {
    let directory: String
    private let files = SystemFiles()

    /// How many files of one name are put beside each other.
    private static let maximumCopies = 10_000

    init(_ directory: String) { self.directory = directory }

    /// Puts a file there and returns its path; one that is there already, with the same name and bytes, is the same:
    /// after a crash, what was shown is shown again.
    func keep(_ file: FileContent) throws(StorageError) -> String {
        try files.makeDirectory(directory)
        // The same file after a crash, so that nothing half written stays behind.
        let hash = Hex.encode(BLAKE2b.hash(count: 8, Array(file.name.utf8) + file.bytes.array))
        let part = "\(directory)/.\(hash).part"
        try write(file.bytes, to: part)
        defer { unsafe unlink(part) }
        for number in 1...Self.maximumCopies {
            let path = "\(directory)/\(Self.numbered(file.safeName, number))"
            if unsafe link(part, path) == 0 {
                try files.synchronizeDirectory(directory)
                return path
            }
            guard errno == EEXIST else { throw .system("link", path: path, errno: errno) }
            if isSame(path, file.bytes) { return path }
        }
        throw .tooLarge("files called \(file.safeName)", count: Self.maximumCopies + 1, limit: Self.maximumCopies)
    }

    private func write(_ bytes: Bytes, to path: String) throws(StorageError) {
        let file = try files.open(path, .emptied)
        defer { files.close(file) }
        try files.writeAll(bytes.span, to: file, at: 0)
        try files.synchronize(file)
    }

    private func isSame(_ path: String, _ bytes: Bytes) -> Bool {
        do throws(StorageError) {
            let file = try files.open(path, .reading)
            defer { files.close(file) }
            guard try files.status(of: file).size == bytes.count else { return false }
            return Bytes(try files.readAll(file, limit: bytes.count)) == bytes
        } catch {
            return false
        }
    }

    /// `walrus.txt`, `walrus (2).txt` and so on.
    private static func numbered(_ name: String, _ number: Int) -> String {
        guard number > 1 else { return name }
        guard let dot = name.lastIndex(of: ".") else { return "\(name) (\(number))" }
        return "\(name[..<dot]) (\(number))\(name[dot...])"
    }
}
