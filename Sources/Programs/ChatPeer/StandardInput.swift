import ChatPlatform
import ChatTool

/// Lines of standard input, read only when they are wanted.
///
/// Every read runs on a thread of its own, because it may wait for a person and tasks must not. What
/// has been read and not been asked for is at most one block.
struct StandardInput: ~Copyable {
    /// The longest line in bytes: a JSON line of 1 MiB and its escapes would not be sent anyway.
    private let maximumLine: Int
    private static let block = 65_536
    private var waiting: [UInt8] = []
    private var hasEnded = false
    private var isSkipping = false

    init(maximumLine: Int = 1 << 20) {
        self.maximumLine = maximumLine
    }

    /// Whether somebody types.
    static var isTerminal: Bool { TerminalMode.isTerminal(StandardStream.input) }

    /// A line, or that there was one which is not read.
    enum Line {
        case text(String)
        case tooLong(limit: Int)
    }

    /// The next line without its end, or all lines of what was pasted into a terminal at once, which brackets pastes;
    /// nil at the end of the input, which nothing but the end of file is.
    mutating func next() async throws(ErrorNumber) -> Line? {
        let line = try await nextLine()
        guard case .text(var text)? = line else { return line }
        guard Self.isTerminal, text.contains(Self.pasteBegins) else { return .text(text) }
        while !text.contains(Self.pasteEnds), case .text(let more)? = try await nextLine() {
            guard text.utf8.count + more.utf8.count < maximumLine else { return .tooLong(limit: maximumLine) }
            text += "\n" + more
        }
        return .text(text.replacing(Self.pasteBegins, with: "").replacing(Self.pasteEnds, with: ""))
    }

    private static let pasteBegins = "\u{1B}[200~"
    private static let pasteEnds = "\u{1B}[201~"

    private mutating func nextLine() async throws(ErrorNumber) -> Line? {
        var searched = 0
        while true {
            if let end = waiting[searched...].firstIndex(of: 10) {
                let line = waiting[..<end]
                let text = String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
                waiting.removeSubrange(...end)
                searched = 0
                guard isSkipping else { return .text(text) }
                isSkipping = false
                return .tooLong(limit: maximumLine)
            }
            searched = waiting.count
            if waiting.count > maximumLine {
                isSkipping = true
                waiting = []
                searched = 0
            }
            guard !hasEnded else {
                guard !waiting.isEmpty, !isSkipping else { return nil }
                defer { waiting = [] }
                return .text(String(decoding: waiting, as: UTF8.self))
            }
            let bytes = try await Self.read()
            if bytes.isEmpty { hasEnded = true } else { waiting += bytes }
        }
    }

    private static func read() async throws(ErrorNumber) -> [UInt8] {
        let result: Result<[UInt8], ErrorNumber> = await withCheckedContinuation { continuation in
            startThread {
                continuation.resume(
                    returning: Result { () throws(ErrorNumber) in try readSome(StandardStream.input, limit: block) })
            }
        }
        return try result.get()
    }
}
