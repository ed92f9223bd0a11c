import ChatPlatform

/// Why records could not be stored or read, and what to do next.
public enum StorageError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A system call failed: which, on what, and the number of the error.
    case system(String, path: String, errno: Int32)
    /// The disk or the quota is full; what was stored before is still there, and a later commit may succeed.
    case full(path: String, bytes: Int)
    /// Something that is no file was found where one is needed: a directory, a pipe or a device.
    case noFile(path: String)
    /// The journal was removed, replaced or written to by somebody else while it was open; nothing more is stored.
    case replaced(path: String)
    /// Another process, or this one, has the directory open.
    case inUse(path: String)
    /// A file or directory belongs to another user, who could read and change it.
    case foreign(path: String, owner: UInt32)
    /// The passphrase or the key is not the one that the journal was written with.
    case wrongKey(path: String)
    /// The file is not a journal, or its header was damaged beyond reading.
    case notAJournal(path: String, reason: String)
    /// A journal of a version that this one does not read.
    case unsupportedVersion(Int, path: String)
    /// A complete part of the journal was changed, moved, repeated or removed: what, and at which byte.
    case tampered(String, path: String, at: Int)
    /// A key file or a passphrase that cannot be used, and why.
    case badKey(String)
    /// More than a limit allows.
    case tooLarge(String, count: Int, limit: Int)

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .system(let call, let path, let number):
            "\(call) \(path): \(Self.words(of: number))\(Self.advice(for: number))"
        case .full(let path, let bytes):
            "no room for \(bytes) bytes in \(path); free some space and try again, nothing stored before is lost"
        case .noFile(let path): "\(path) is no file but a directory, a pipe or a device; name a file"
        case .replaced(let path):
            "\(path) was removed, replaced or changed by another program; nothing more is stored, so end this one"
        case .inUse(let path): "\(path) is in use by another process; end it, or choose another directory"
        case .foreign(let path, let owner):
            "\(path) belongs to another user (\(owner)); choose a directory of your own, or give it to yourself (chown)"
        case .wrongKey(let path): "wrong passphrase or key for \(path)"
        case .notAJournal(let path, let reason): "\(path) is not a journal: \(reason); choose another directory"
        case .unsupportedVersion(let version, let path):
            "\(path) is a journal of version \(version); this program reads version 1"
        case .tampered(let what, let path, let offset):
            "\(path) was changed at byte \(offset) (\(what)); restore it from a copy you trust"
        case .badKey(let reason): reason
        case .tooLarge(let what, let count, let limit): "\(what): \(count), at most \(limit) allowed"
        }
    }

    private static func words(of number: Int32) -> String {
        ErrorNumber(rawValue: number).description
    }

    private static func advice(for number: Int32) -> String {
        switch ErrorNumber(rawValue: number) {
        case .accessDenied, .notPermitted, .readOnly: "; choose a directory that you may write to"
        case .noEntry, .notDirectory: "; create the directory above it first"
        case .nameTooLong: "; choose a shorter path"
        case .tooManyFiles, .tooManyFilesOfAll: "; close some files or raise the limit (ulimit -n)"
        case .inputOutput: "; the disk may be failing, make a copy"
        default: ""
        }
    }
}
