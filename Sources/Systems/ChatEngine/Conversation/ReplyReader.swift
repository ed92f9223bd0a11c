/// A client's view of one stream: the automaton of section 6.1 of `Specs/chat-engine.md`.
///
/// Events are taken in their order; one that does not fit is refused and changes nothing. A stream that ends early is
/// truncated, which is a failure of the transport and not an answer.
public struct ReplyReader: Hashable, Sendable {
    /// Where a stream is.
    public enum State: Hashable, Sendable {
        /// Nothing has come.
        case awaitingStart
        /// It has begun.
        case streaming
        /// It is whole.
        case complete(Metadata?)
        /// The engine says that it failed.
        case failed(ErrorBody)
        /// It ended without an end.
        case truncated
    }

    /// Where the stream is.
    public private(set) var state = State.awaitingStart
    /// The message that is generated, once it is known.
    public private(set) var message: MessageID?
    /// What has come of it.
    public private(set) var content = ContentBuilder()

    /// A stream of which nothing has come.
    public init() {}

    /// Whether nothing more may come.
    public var isOver: Bool {
        switch state {
        case .awaitingStart, .streaming: false
        case .complete, .failed, .truncated: true
        }
    }

    /// Takes an event (CE-22).
    public mutating func receive(_ event: ReplyEvent) throws(Violation) {
        guard !isOver else { throw Violation(.stream, "an event came after the last one") }
        if let message, event.message != message {
            throw Violation(.stream, "the event is of \(event.message), the stream of \(message)", at: "message_id")
        }
        switch (state, event) {
        case (.awaitingStart, .start): state = .streaming
        case (_, .start): throw Violation(.stream, "the stream starts twice")
        case (_, .error(_, let error)): state = .failed(error)
        case (.awaitingStart, _): throw Violation(.stream, "the stream does not start with start")
        case (_, .chunk(_, let chunk)): try content.append(chunk)
        case (_, .complete(_, let metadata)): state = .complete(metadata)
        }
        message = event.message
    }

    /// Takes the end of the connection.
    public mutating func end() {
        if !isOver { state = .truncated }
    }
}

/// A stream to a client in bytes: lines, their events, and the automaton.
public struct ReplyLines: Hashable, Sendable {
    /// The automaton.
    public private(set) var reader = ReplyReader()
    private var lines = LineSplitter()
    private let codec: EngineJSON

    /// A stream of which nothing has come.
    public init(_ tolerance: Tolerance = .strict) {
        codec = EngineJSON(tolerance)
    }

    /// Takes some bytes, and gives the events that are whole. What refuses a line ends the reading: the caller closes.
    public mutating func receive(_ bytes: Span<UInt8>) throws(Violation) -> [ReplyEvent] {
        lines.append(bytes)
        var events: [ReplyEvent] = []
        while let line = try lines.next() {
            let event = try codec.decode(ReplyEvent.self, from: line.span, maximumBytes: EngineJSON.maximumLine)
            try reader.receive(event)
            events.append(event)
        }
        return events
    }

    /// Takes the end of the connection. An unterminated line counts where it is a whole terminal event (CE-02).
    public mutating func end() throws(Violation) -> [ReplyEvent] {
        defer { reader.end() }
        guard let line = try lines.last() else { return [] }
        let event = try codec.decode(ReplyEvent.self, from: line.span, maximumBytes: EngineJSON.maximumLine)
        guard event.isTerminal else { throw Violation(.line, "the last line is cut") }
        try reader.receive(event)
        return [event]
    }
}
