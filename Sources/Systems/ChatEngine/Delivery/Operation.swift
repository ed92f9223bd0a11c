/// The operations of an engine, and how a request names them: the table of section 6 of `Specs/chat-engine.md`.
public enum Operation: String, Hashable, Sendable, CaseIterable {
    /// Begins a session (1).
    case createSession
    /// Says what a session is (2).
    case getSession
    /// Ends a session for good (3).
    case deleteSession
    /// Gives a session another type (4).
    case switchSessionType
    /// Writes a session into a file (5).
    case exportSession
    /// Draws a share token (6).
    case shareSession
    /// Reads a session by a share token (7).
    case accessSharedSession
    /// Searches a session (8).
    case searchSession
    /// Searches all sessions of a client (9).
    case searchAllSessions
    /// Says something, and has it answered (10).
    case sendMessage
    /// Has something answered again (11).
    case recreateMessage
    /// Has a session summarized (12).
    case summarizeSession
    /// Lists messages (13).
    case listMessages
    /// Reads a message (14).
    case getMessage
    /// Lists the variants of a message (15).
    case getMessageVariants
    /// Says what a person thinks of a message (16).
    case reactToMessage
    /// Which session types there are (CE-G05).
    case listSessionTypes
    /// Takes a share token back (CE-G13).
    case revokeShare
    /// Reads an exported file.
    case readExport

    /// The method and the path under the base; `*` stands for an id or a token.
    public var route: (method: String, path: String) {
        switch self {
        case .createSession: ("POST", "/sessions")
        case .getSession: ("GET", "/sessions/*")
        case .deleteSession: ("DELETE", "/sessions/*")
        case .switchSessionType: ("PATCH", "/sessions/*/type")
        case .exportSession: ("POST", "/sessions/*/export")
        case .shareSession: ("POST", "/sessions/*/share")
        case .accessSharedSession: ("GET", "/share/*")
        case .searchSession: ("GET", "/sessions/*/search")
        case .searchAllSessions: ("GET", "/search")
        case .sendMessage: ("POST", "/messages/send")
        case .recreateMessage: ("POST", "/messages/*/recreate")
        case .summarizeSession: ("POST", "/sessions/*/summarize")
        case .listMessages: ("GET", "/sessions/*/messages")
        case .getMessage: ("GET", "/messages/*")
        case .getMessageVariants: ("GET", "/messages/*/variants")
        case .reactToMessage: ("POST", "/messages/*/reaction")
        case .listSessionTypes: ("GET", "/session-types")
        case .revokeShare: ("DELETE", "/sessions/*/share/*")
        case .readExport: ("GET", "/exports/*")
        }
    }

    /// Whether a request needs no token: whoever has the link may.
    public var isOpen: Bool { self == .accessSharedSession || self == .readExport }

    /// Whether the answer is a stream of events.
    public var isStreamed: Bool { [.sendMessage, .recreateMessage, .summarizeSession].contains(self) }

    /// The status of an answer.
    public var status: Int { self == .createSession || self == .shareSession ? 201 : 200 }

    /// What a method and a path name.
    public enum Match: Hashable, Sendable {
        /// An operation, and the ids and tokens of its path.
        case operation(Operation, [String])
        /// A path that has other methods.
        case otherMethods([String])
        /// No path.
        case unknown
    }

    /// Finds the operation of a request, whose path is that under the base, still encoded.
    public static func match(_ method: String, _ path: String) -> Match {
        let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
        var methods: [String] = []
        for operation in allCases {
            let route = operation.route
            let pattern = route.path.split(separator: "/", omittingEmptySubsequences: false)
            guard pattern.count == pieces.count,
                zip(pattern, pieces).allSatisfy({ $0 == "*" ? !$1.isEmpty : $0.utf8.elementsEqual($1.utf8) })
            else { continue }
            guard route.method == method else {
                methods.append(route.method)
                continue
            }
            return .operation(operation, zip(pattern, pieces).filter { $0.0 == "*" }.map { String($0.1) })
        }
        return methods.isEmpty ? .unknown : .otherMethods(methods.sorted())
    }
}
