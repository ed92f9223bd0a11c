import ChatClient
import ChatCodec
import ChatContent
import ChatCrypto
import ChatModel
import ChatPlatform
import ChatStorage

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

    /// Makes the directory if it is not there; one that is there stays as it is.
    func prepare() throws(StorageError) {
        do throws(ErrorNumber) { try FileCalls.makeDirectory(directory) } catch {
            guard error == .exists else { throw .system("mkdir", path: directory, errno: error.rawValue) }
            do throws(ErrorNumber) { try FileCalls.check(.writingAndSearching, at: directory + "/.") } catch {
                throw .system("open", path: directory, errno: error.rawValue)
            }
            return
        }
        try files.synchronizeDirectory(Self.parent(directory))
    }

    /// Puts a file there and returns its path; one that is there already, with the same name and bytes, is the same:
    /// after a crash, what was shown is shown again.
    func keep(_ file: FileContent) throws(StorageError) -> String {
        try prepare()
        // The same file after a crash, so that nothing half written stays behind.
        let hash = Hex.encode(BLAKE2b.hash(count: 8, Array(file.name.utf8) + file.bytes.array))
        let part = "\(directory)/.\(hash).part"
        defer { try? FileCalls.remove(part) }
        do throws(StorageError) {
            try write(file.bytes, to: part)
            return try place(part, as: file.safeName, file.bytes)
        } catch {
            // A name that this file system does not take holds up nothing else.
            guard error.isOfTheName else { throw error }
            try write(file.bytes, to: part)
            return try place(part, as: "file-\(hash)", file.bytes)
        }
    }

    /// Gives a file that is whole the first free one of its names.
    private func place(_ part: String, as name: String, _ bytes: Bytes) throws(StorageError) -> String {
        for number in 1...Self.maximumCopies {
            let path = "\(directory)/\(Self.numbered(name, number))"
            if try isPlaced(part, at: path) {
                try files.synchronizeDirectory(directory)
                return path
            }
            if isSame(path, bytes) { return path }
        }
        throw .tooLarge("files called \(name)", count: Self.maximumCopies + 1, limit: Self.maximumCopies)
    }

    /// Moves a file to a path where nothing is; false if something is there.
    private func isPlaced(_ part: String, at path: String) throws(StorageError) -> Bool {
        do throws(ErrorNumber) {
            try FileCalls.link(part, as: path)
            return true
        } catch {
            guard error != .exists else { return false }
            guard Self.withoutLinks.contains(error) else { throw .system("link", path: path, errno: error.rawValue) }
        }
        // A file system without hard links: the name is taken first, empty, and then given to the file.
        do throws(ErrorNumber) { FileCalls.close(try FileCalls.open(path, .new, followsLinks: false)) } catch {
            guard error != .exists else { return false }
            throw .system("open", path: path, errno: error.rawValue)
        }
        do throws(StorageError) { try files.rename(part, to: path) } catch {
            try? FileCalls.remove(path)
            throw error
        }
        return true
    }

    /// What a file system answers that has no hard links.
    private static let withoutLinks: Set<ErrorNumber> = [
        .notPermitted, .notSupported, .operationNotSupported, .noSuchCall, .tooManyLinks, .crossesDevices,
        .invalidArgument,
    ]

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
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

extension StorageError {
    /// Whether another name would do.
    fileprivate var isOfTheName: Bool {
        switch self {
        case .system(_, _, let number):
            [.nameTooLong, .invalidArgument, .invalidBytes].contains(ErrorNumber(rawValue: number))
        case .tooLarge: true
        default: false
        }
    }
}
