import ChatPlatform

/// What was wrong with a call, or with what it names.
public struct InputFailure: Error, CustomStringConvertible {
    /// What, and what to do about it where that is not plain.
    public let description: String

    /// A failure in words.
    public init(_ description: String) { self.description = description }
}

/// Bytes that a program is to look at, wherever they come from.
public enum CapturedInput {
    /// Reads what the one operand is: the name of a file, or else the bytes themselves as text. Without an operand, or
    /// with `-`, standard input is read.
    ///
    /// - Parameter limit: the most bytes that are read.
    public static func read(_ operands: [String], limit: Int) throws(InputFailure) -> [UInt8] {
        guard operands.count < 2 else { throw InputFailure("one input at a time") }
        guard let text = operands.first, text != "-" else {
            return try read(StandardStream.input, "standard input", limit)
        }
        // A name is shorter than what was captured, and that is no name of a file.
        guard text.utf8.count < 4_096 else { return Array(text.utf8) }
        guard let file = try? FileCalls.open(text, .reading, followsLinks: true, waits: true) else {
            return Array(text.utf8)
        }
        defer { FileCalls.close(file) }
        return try read(file, text, limit)
    }

    /// Reads a file.
    ///
    /// - Parameter limit: the most bytes that are read.
    public static func read(file path: String, limit: Int) throws(InputFailure) -> [UInt8] {
        let file: Int32
        do { file = try FileCalls.open(path, .reading, followsLinks: true, waits: true) } catch {
            throw InputFailure("cannot read \(path): \(error)")
        }
        defer { FileCalls.close(file) }
        return try read(file, path, limit)
    }

    private static func read(_ file: Int32, _ name: String, _ limit: Int) throws(InputFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let part: [UInt8]
            do { part = try readSome(file, limit: 1 << 16) } catch {
                throw InputFailure("cannot read \(name): \(error)")
            }
            guard !part.isEmpty else { return bytes }
            bytes += part
            guard bytes.count <= limit else { throw InputFailure("\(name) has more than \(limit) bytes") }
        }
    }
}
