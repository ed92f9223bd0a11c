import ChatPlatform

/// A file to which keys of sealed sessions are appended, line by line, for who inspects traffic of their own.
///
/// Whoever reads it reads the traffic, so it is its owner's alone, and a program that has one warns of it.
public final class KeyLogFile: Sendable {
    private let descriptor: Int32

    /// Opens or makes a file; throws the system's words.
    public init(_ path: String) throws(KeyLogTrouble) {
        do throws(ErrorNumber) {
            descriptor = try FileCalls.open(path, .appended, followsLinks: true)
        } catch { throw KeyLogTrouble(description: "\(path): \(error)") }
    }

    deinit { FileCalls.close(descriptor) }

    /// What a program says that writes keys down.
    public static func warning(_ path: String) -> String {
        "keys of sealed sessions are written to \(path): whoever reads it reads everything on the hop"
    }

    /// Appends a line with one system call, so that lines of several processes do not mix.
    public func append(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = try? writeSome(bytes[...], to: descriptor)
    }
}

/// Why keys cannot be written down.
public struct KeyLogTrouble: Error, CustomStringConvertible {
    /// The file and the system's words.
    public let description: String
}
