public import Foundation
import Testing

/// The public test vectors: a directory outside the repository, named by `CHAT_VECTORS`.
///
/// Without that variable it is `../shared/vectors` beside the package. A file that is not there is
/// skipped with a printed notice; of those that are, the number of cases is printed.
public enum Vectors {
    /// Where the files are.
    public static let directory: URL = {
        if let path = ProcessInfo.processInfo.environment["CHAT_VECTORS"], !path.isEmpty {
            return URL(fileURLWithPath: path, isDirectory: true)
        }
        return packageRoot.deletingLastPathComponent().appendingPathComponent("shared/vectors", isDirectory: true)
    }()

    /// The folder of `Package.swift`.
    public static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A file's content, or nil with a printed notice where there is none.
    public static func load(_ path: String) throws -> Vector? {
        guard let data = try? Data(contentsOf: directory.appendingPathComponent(path)) else {
            print("vectors: \(path) is not in \(directory.path); skipped (set CHAT_VECTORS to run it)")
            return nil
        }
        return Vector(try JSONSerialization.jsonObject(with: data), name: path)
    }

    /// Runs every case of a file, or those that a condition picks, and prints how many.
    ///
    /// A case that throws is an issue that names it, and the next one runs. Files are a list of cases,
    /// or an object with such a list under `cases` or `vectors`.
    public static func run(
        _ path: String, only condition: (Vector) throws -> Bool = { _ in true }, _ body: (Vector) throws -> Void
    ) throws {
        guard let file = try load(path) else { return }
        let all = try file.has("cases") ? file.list("cases") : file.has("vectors") ? file.list("vectors") : file.list()
        let picked = try all.filter(condition)
        try run(picked, of: path, body)
        if picked.isEmpty { Issue.record("of \(all.count) cases of \(path) none is run") }
    }

    /// Runs cases that the caller gathered, and prints how many.
    public static func run(_ cases: [Vector], of path: String, _ body: (Vector) throws -> Void) throws {
        for one in cases {
            do { try body(one) } catch { Issue.record(error, "\(path): \(one.name)") }
        }
        print("vectors: \(path): \(cases.count) cases")
    }
}

/// A value of a vector file, with readers that throw the name of what is missing.
public struct Vector: CustomStringConvertible {
    /// A value has another type than the test asked for.
    public struct Missing: Error, CustomStringConvertible {
        /// What was asked for, and where.
        public let description: String
    }

    /// Where it stands: the file or case, then the keys on the way.
    public let name: String
    private let value: Any

    init(_ value: Any, name: String) {
        (self.value, self.name) = (value, name)
    }

    /// The name, so that `#expect(…, "\(vector)")` says which case failed.
    public var description: String { name }

    /// Whether there is a value under a key, other than null.
    public func has(_ key: String) -> Bool {
        guard let found = (value as? [String: Any])?[key] else { return false }
        return !(found is NSNull)
    }

    /// The value under a key.
    public func at(_ key: String) throws -> Vector {
        guard has(key), let found = (value as? [String: Any])?[key] else { throw missing("anything", key) }
        return Vector(found, name: "\(name).\(key)")
    }

    /// A text.
    public func text(_ key: String) throws -> String {
        guard let text = try at(key).value as? String else { throw missing("a text", key) }
        return text
    }

    /// Bytes from hex.
    public func bytes(_ key: String) throws -> [UInt8] {
        [UInt8](hex: try text(key))
    }

    /// Bytes from hex, or nil where there is nothing under the key.
    public func optionalBytes(_ key: String) throws -> [UInt8]? {
        has(key) ? try bytes(key) : nil
    }

    /// A number.
    public func number(_ key: String) throws -> Int {
        guard let number = try at(key).value as? Int else { throw missing("a number", key) }
        return number
    }

    /// A number that may need 64 bits.
    public func number64(_ key: String) throws -> UInt64 {
        guard let number = try at(key).value as? NSNumber else { throw missing("a number", key) }
        return number.uint64Value
    }

    /// A truth value.
    public func flag(_ key: String) throws -> Bool {
        guard let flag = try at(key).value as? Bool else { throw missing("a truth value", key) }
        return flag
    }

    /// A list under a key.
    public func list(_ key: String) throws -> [Vector] { try at(key).list() }

    /// A list of texts under a key.
    public func texts(_ key: String) throws -> [String] {
        guard let texts = try at(key).value as? [String] else { throw missing("a list of texts", key) }
        return texts
    }

    /// This value as a number, for lists of numbers.
    public func integer() throws -> Int {
        guard let number = value as? Int else { throw missing("a number", nil) }
        return number
    }

    /// This value as bytes from hex, for lists of them.
    public func bytes() throws -> [UInt8] {
        guard let text = value as? String else { throw missing("hex", nil) }
        return [UInt8](hex: text)
    }

    /// The keys of an object.
    public var keys: [String] { (value as? [String: Any])?.keys.sorted() ?? [] }

    /// This value as a list; a case is named by its `id` or `tcId`, or its place.
    public func list() throws -> [Vector] {
        guard let list = value as? [Any] else { throw missing("a list", nil) }
        return list.enumerated().map { index, element in
            let fields = element as? [String: Any]
            let label = fields?["id"] ?? fields?["tcId"] ?? index
            return Vector(element, name: "\(name)[\(label)]")
        }
    }

    private func missing(_ what: String, _ key: String?) -> Missing {
        Missing(description: "\(name): \(what) expected under \(key ?? "itself")")
    }
}
