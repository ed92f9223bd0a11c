/// Finds lines in bytes that come in pieces of any size (section 6 of `Specs/chat-engine.md`).
///
/// Where a piece ends means nothing: a line may span many, and a piece may hold many lines. It keeps what it has not
/// given yet, at most a piece and a line of the longest, and looks at each byte once.
public struct LineSplitter: Hashable, Sendable {
    /// The longest line in bytes, its line feed not counted.
    public let maximumLine: Int
    private var bytes: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    /// Up to where no line feed is.
    private var scanned = 0

    /// A splitter that has seen nothing.
    public init(maximumLine: Int = EngineJSON.maximumLine) {
        self.maximumLine = maximumLine
    }

    /// The bytes of a line that is not whole yet.
    public var waiting: Int { bytes.count - start }

    /// Takes a piece.
    public mutating func append(_ piece: Span<UInt8>) {
        if start > 0, start >= bytes.count - start {
            bytes.removeFirst(start)
            (start, scanned) = (0, scanned - start)
        }
        for index in piece.indices { bytes.append(piece[index]) }
    }

    /// The next line that says something, without its line feed; nil where more has to come. A line that is blank is
    /// skipped (CE-01); one that is too long is refused, also before its end has come (CE-02).
    public mutating func next() throws(Violation) -> [UInt8]? {
        while scanned < bytes.count {
            guard bytes[scanned] == UInt8(ascii: "\n") else {
                scanned += 1
                continue
            }
            let line = bytes[start..<scanned]
            guard line.count <= maximumLine else { throw tooLong(line.count) }
            scanned += 1
            start = scanned
            guard line.allSatisfy(Self.isBlank) else { return Array(line) }
        }
        guard waiting <= maximumLine else { throw tooLong(waiting) }
        return nil
    }

    /// What came after the last line feed, where the stream has ended; nil where that says nothing.
    public mutating func last() throws(Violation) -> [UInt8]? {
        let line = Array(bytes[start...])
        guard line.count <= maximumLine else { throw tooLong(line.count) }
        (bytes, start, scanned) = ([], 0, 0)
        return line.allSatisfy(Self.isBlank) ? nil : line
    }

    private func tooLong(_ count: Int) -> Violation {
        Violation(.line, "a line has \(count) bytes or more; at most \(maximumLine) are allowed")
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
}
