import ChatPlatform

/// Files by path.
enum Files {
    /// The system said no.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ path: String, _ number: ErrorNumber) { description = "\(path): \(number)" }
        init(tooLong path: String, limit: Int) { description = "\(path) has more than \(limit) bytes" }
    }

    /// A file as it is named, or all files of a directory and those below it that end in `.json`, sorted.
    static func list(_ path: String) -> [String] {
        guard let names = FileCalls.names(in: path) else { return [path] }
        var found: [String] = []
        for name in names where !name.hasPrefix(".") {
            let inner = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            // Links to directories are not followed, so no walk goes round in circles.
            if (try? FileCalls.status(at: inner).kind) == .directory {
                found += list(inner)
            } else if name.hasSuffix(".json") {
                found.append(inner)
            }
        }
        return found.sorted()
    }

    /// All bytes of a file.
    static func read(_ path: String, limit: Int) -> Result<[UInt8], Failure> {
        do throws(ErrorNumber) {
            let file = try FileCalls.open(path, .reading, followsLinks: true, waits: true)
            defer { FileCalls.close(file) }
            guard let bytes = try FileCalls.readToEnd(file, limit: limit) else {
                return .failure(Failure(tooLong: path, limit: limit))
            }
            return .success(bytes)
        } catch {
            return .failure(Failure(path, error))
        }
    }

    /// Writes a file anew.
    static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        do throws(ErrorNumber) {
            let file = try FileCalls.open(path, .emptied, followsLinks: true, permissions: 0o666)
            defer { FileCalls.close(file) }
            try writeAll(bytes, to: file)
        } catch {
            throw Failure(path, error)
        }
    }
}
