public import ChatEngine
import Foundation
public import Logging

/// What a server is started with: the options of `chat-engine serve`.
public struct Settings: Sendable {
    /// The address to bind.
    public var host = "127.0.0.1"
    /// The port; 0 takes a free one.
    public var port: Int
    /// The SQLite file; it is created when it is missing, its folder is not.
    public var database: String
    /// The folder of exported files; beside the database where absent.
    public var exports: String?
    /// What `share_url` and `download_url` start with; the address that was bound where absent.
    public var publicURL: String?
    /// The secret of bearer tokens: 32 bytes at least.
    public var secret: [UInt8]
    /// The session types.
    public var types: SessionTypes
    /// What every duration is multiplied by.
    public var scale: Double
    /// What is logged, to standard error.
    public var logLevel: Logger.Level

    /// Settings.
    public init(
        port: Int, database: String, secret: [UInt8], types: SessionTypes, scale: Double = 1,
        logLevel: Logger.Level = .info
    ) {
        (self.port, self.secret, self.types) = (port, secret, types)
        // What lies beside the database does so whatever link it is opened by.
        self.database = URL(fileURLWithPath: database).resolvingSymlinksInPath().path
        (self.scale, self.logLevel) = (scale, logLevel)
    }

    var exportsFolder: String { exports ?? database + ".exports" }
    var journalFolder: String { database + ".streams" }
}

/// Why a server cannot start: one line, and the exit code that says it to programs.
public struct StartError: Error, CustomStringConvertible {
    /// Why a program ends, as `sysexits.h` numbers it.
    public enum Code: Int32, Sendable {
        /// The address cannot be bound.
        case unavailable = 69
        /// A file or folder cannot be opened or created, or is none of this engine's.
        case inputOutput = 74
        /// The secret or the session types are missing, unreadable or refused.
        case configuration = 78
    }

    /// The exit code.
    public let code: Code
    /// What was wrong, and where.
    public let description: String

    /// An error.
    public init(_ code: Code, _ description: String) {
        (self.code, self.description) = (code, description)
    }
}
