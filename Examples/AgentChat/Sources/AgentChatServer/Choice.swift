import ChatCodec
import ChatCrypto
public import ChatModel
public import ChatStorage
import Foundation

/// What the command line chooses.
public enum Choice {
    /// The agent of `echo`, `script:FILE` or `command:LINE`.
    public static func agent(_ text: String) throws -> any Agent {
        if text == "echo" { return EchoAgent() }
        if text.hasPrefix("command:") { return CommandAgent(String(text.dropFirst(8))) }
        guard text.hasPrefix("script:") else {
            throw AgentFailure("\(text) is none of echo, script:FILE, command:LINE")
        }
        let path = String(text.dropFirst(7))
        guard let data = FileManager.default.contents(atPath: path) else {
            throw AgentFailure("\(path) cannot be read")
        }
        return ScriptAgent(try Script(try JSON(parsing: Array(data))))
    }

    /// The token in the first line of a file that only its owner may read.
    public static func token(_ path: String) throws -> Secret {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        guard let mode = attributes[.posixPermissions] as? Int, mode & 0o077 == 0 else {
            throw AgentFailure("others may read or change \(path); run: chmod 600 \(path)")
        }
        let line = Array((FileManager.default.contents(atPath: path) ?? Data()).prefix { $0 != 0x0a && $0 != 0x0d })
        guard (16...1_024).contains(line.count) else { throw AgentFailure("a token has 16 to 1,024 bytes") }
        return Secret(copying: line.span)
    }

    /// Storage in a directory, under a key that is made beside it at the first start; in memory without one.
    public static func storage(_ directory: String?) throws -> any Storage {
        guard let directory else { return InMemoryStorage() }
        let key = directory + "/key"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if !FileManager.default.fileExists(atPath: key) {
            var random: any RandomSource = SystemRandom()
            let digits = Data((Hex.encode(random.bytes(32, for: .secret)) + "\n").utf8)
            let made = FileManager.default.createFile(
                atPath: key + ".new", contents: digits, attributes: [.posixPermissions: 0o600])
            guard made, let file = FileHandle(forUpdatingAtPath: key + ".new") else {
                throw AgentFailure("\(key) cannot be written")
            }
            try file.synchronize()
            try file.close()
            try FileManager.default.moveItem(atPath: key + ".new", toPath: key)
        }
        return try DirectoryStorage(path: directory + "/journal", key: try StorageKey.keyFile(key))
    }
}
