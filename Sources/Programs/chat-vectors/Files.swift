#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files by path.
enum Files {
    /// The system said no.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ path: String) {
            description = unsafe "\(path): \(String(cString: strerror(errno)))"
        }

        init(tooLong path: String, limit: Int) {
            description = "\(path) has more than \(limit) bytes"
        }
    }

    /// A file as it is named, or all files of a directory and those below it that end in `.json`, sorted.
    static func list(_ path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [path] }
        defer { unsafe closedir(directory) }
        var found: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let inner = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            if isDirectory(inner) {
                found += list(inner)
            } else if name.hasSuffix(".json") {
                found.append(inner)
            }
        }
        return found.sorted()
    }

    /// Links to directories are not followed, so no walk goes round in circles.
    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// All bytes of a file.
    static func read(_ path: String, limit: Int) -> Result<[UInt8], Failure> {
        guard let file = unsafe fopen(path, "rb") else { return .failure(Failure(path)) }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe fread(&part, 1, part.count, file)
            bytes += part[..<count]
            guard bytes.count <= limit else { return .failure(Failure(tooLong: path, limit: limit)) }
            if count < part.count { return unsafe ferror(file) == 0 ? .success(bytes) : .failure(Failure(path)) }
        }
    }

    /// Writes a file anew.
    static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        guard let file = unsafe fopen(path, "wb") else { throw Failure(path) }
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        guard unsafe fclose(file) == 0, count == bytes.count else { throw Failure(path) }
    }
}
