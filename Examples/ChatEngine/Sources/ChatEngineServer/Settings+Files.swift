public import ChatEngine
import Foundation

extension Settings {
    /// Reads the secret: the bytes of a file less one line feed at its end, 32 at least.
    public static func secret(at path: String) throws(StartError) -> [UInt8] {
        var secret = try bytes(of: "secret", at: path)
        if secret.last == UInt8(ascii: "\n") { secret.removeLast() }
        guard secret.count >= 32 else {
            throw StartError(.configuration, "\(path): the secret has \(secret.count) bytes; at least 32 are needed")
        }
        return secret
    }

    /// Reads the session types (section 3 of the description of the server).
    public static func types(at path: String) throws(StartError) -> SessionTypes {
        let bytes = try bytes(of: "session types", at: path)
        do { return try SessionTypes(parsing: bytes.span) } catch {
            throw StartError(.configuration, "\(path): \(error)")
        }
    }

    private static func bytes(of what: String, at path: String) throws(StartError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartError(.configuration, "\(path): the file of the \(what) cannot be read")
        }
        return Array(data)
    }
}
