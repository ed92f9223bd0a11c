import ChatCodec

/// The parts of a message that is written: deltas are folded into it, snapshots replace it.
///
/// Folding the deltas of a message gives the same parts as a snapshot of them; a delta that is refused changes
/// nothing. A piece of text costs what it adds, however long the text before it is.
public struct PartAccumulator: Hashable, Sendable {
    /// The most bytes of JSON that the parts of a message may have, so that a snapshot fits into a frame (AC-01).
    public static let maximumSize = AgentJSON.maximumFrame - 4_096

    private enum Key: Hashable {
        case tool(Identifier)
        case data(name: ExactText, id: ExactText)
    }

    /// The last part, if it is text, by itself: text is appended to in place.
    private struct Tail: Hashable {
        var isReasoning: Bool
        var text: TextPart

        var part: MessagePart { isReasoning ? .reasoning(text) : .text(text) }
    }

    /// All parts but the tail.
    private var settled: [MessagePart] = []
    private var tail: Tail?
    /// Where the parts are that a delta replaces.
    private var places: [Key: Int] = [:]
    /// Which settled texts still stream: only a snapshot has any.
    private var open: [Int] = []
    /// The JSON of all parts, in bytes.
    public private(set) var size = 0

    /// No parts.
    public init() {}

    /// The parts of a snapshot, in which a tool may be in any state.
    public init(_ parts: [MessagePart]) {
        for part in parts { push(part, size: Self.size(of: part)) }
    }

    /// The parts in their order.
    public var parts: [MessagePart] { tail.map { settled + [$0.part] } ?? settled }

    /// How many parts there are.
    public var count: Int { settled.count + (tail == nil ? 0 : 1) }

    /// Folds a delta in.
    public mutating func apply(_ delta: MessagePart, consolidated: Bool = false) throws(Violation) {
        if consolidated { return try replaceLast(with: delta) }
        switch delta {
        case .text(let text): try append(text, isReasoning: false)
        case .reasoning(let text): try append(text, isReasoning: true)
        case .tool(let tool): try update(tool)
        case .data(let data): try update(data)
        default: try add(delta)
        }
    }

    /// Whether a text still streams.
    var hasOpenText: Bool { tail?.text.state == .streaming || !open.isEmpty }

    /// Closes every text that still streams: `streaming` becomes `done`, an absent state stays absent.
    public mutating func close() {
        if tail?.text.state == .streaming {
            tail?.text.state = .done
            size += Self.size(of: .done) - Self.size(of: .streaming)
        }
        for index in open { settled[index] = closed(settled[index]) }
        open = []
    }
}

// Deltas.
extension PartAccumulator {
    private mutating func append(_ delta: TextPart, isReasoning: Bool) throws(Violation) {
        // Nothing here keeps the tail while its text grows: of a text that somebody else holds a copy would be made.
        guard tail?.isReasoning == isReasoning, tail?.text.state != .done else {
            return try add(isReasoning ? .reasoning(delta) : .text(delta))
        }
        var growth = Self.escapedSize(of: delta.text)
        if let state = delta.state { growth += Self.size(of: state) - Self.size(of: tail?.text.state) }
        if let metadata = delta.providerMetadata {
            growth += Self.size(of: metadata) - Self.size(of: tail?.text.providerMetadata)
        }
        try reserve(max(0, growth))
        size += growth
        tail?.text.text += delta.text
        if let state = delta.state { tail?.text.state = state }
        if let metadata = delta.providerMetadata { tail?.text.providerMetadata = metadata }
    }

    private mutating func update(_ tool: ToolPart) throws(Violation) {
        let place = places[.tool(tool.callID)]
        try ToolLifeCycle.check(tool, after: place.flatMap { self.tool(at: $0) })
        guard let place else { return try add(.tool(tool)) }
        try replace(at: place, with: .tool(tool))
    }

    private mutating func update(_ data: DataPart) throws(Violation) {
        guard let key = Self.key(of: .data(data)), let place = places[key] else { return try add(.data(data)) }
        try replace(at: place, with: .data(data))
    }

    /// Adds a part at the end, which closes every open text.
    private mutating func add(_ part: MessagePart) throws(Violation) {
        let size = Self.size(of: part)
        try reserve(size)
        close()
        push(part, size: size)
    }

    /// An update in place closes nothing.
    private mutating func replace(at place: Int, with part: MessagePart) throws(Violation) {
        let (old, new) = (Self.size(of: settled[place]), Self.size(of: part))
        try reserve(max(0, new - old))
        size += new - old
        settled[place] = part
    }

    private mutating func replaceLast(with part: MessagePart) throws(Violation) {
        guard let last = tail?.part ?? settled.last else { throw Violation(.consolidation, "there is no part yet") }
        guard Self.isSameType(last, part) else {
            throw Violation(.consolidation, "the last part is of another type, or another call")
        }
        if case .tool(let new) = part, case .tool(let old) = last { try ToolLifeCycle.check(new, after: old) }
        let (old, new) = (Self.size(of: last), Self.size(of: part))
        try reserve(max(0, new - old))
        if tail == nil, let last = settled.popLast() {
            if let key = Self.key(of: last), places[key] == settled.count { places[key] = nil }
        } else {
            tail = nil
        }
        size -= old
        push(part, size: new)
    }

    private func tool(at place: Int) -> ToolPart? {
        if case .tool(let tool) = settled[place] { tool } else { nil }
    }

    private func reserve(_ bytes: Int) throws(Violation) {
        guard size + bytes <= Self.maximumSize else {
            throw Violation(.frame, "the message would have more than \(Self.maximumSize) bytes")
        }
    }
}

// Parts.
extension PartAccumulator {
    private mutating func push(_ part: MessagePart, size: Int) {
        settle()
        self.size += size
        switch part {
        case .text(let text): tail = Tail(isReasoning: false, text: text)
        case .reasoning(let text): tail = Tail(isReasoning: true, text: text)
        default:
            if let key = Self.key(of: part), places[key] == nil { places[key] = settled.count }
            settled.append(part)
        }
    }

    private mutating func settle() {
        guard let tail else { return }
        if tail.text.state == .streaming { open.append(settled.count) }
        settled.append(tail.part)
        self.tail = nil
    }

    private mutating func closed(_ part: MessagePart) -> MessagePart {
        size += Self.size(of: .done) - Self.size(of: .streaming)
        switch part {
        case .text(var text):
            text.state = .done
            return .text(text)
        case .reasoning(var text):
            text.state = .done
            return .reasoning(text)
        default: return part
        }
    }

    private static func key(of part: MessagePart) -> Key? {
        switch part {
        case .tool(let tool): .tool(tool.callID)
        case .data(let data): data.id.map { .data(name: ExactText(data.name), id: ExactText($0)) }
        default: nil
        }
    }

    private static func isSameType(_ left: MessagePart, _ right: MessagePart) -> Bool {
        switch (left, right) {
        case (.text, .text), (.reasoning, .reasoning), (.sourceURL, .sourceURL), (.sourceDocument, .sourceDocument),
            (.file, .file), (.stepStart, .stepStart):
            true
        case (.data(let left), .data(let right)): ExactText.isSame(left.name, right.name)
        case (.tool(let left), .tool(let right)): left.name.isSame(as: right.name) && left.callID == right.callID
        case (.opaque(let left), .opaque(let right)):
            ExactText.isSame(left["type"]?.text ?? "", right["type"]?.text ?? "")
        default: false
        }
    }

    /// The JSON of a part and the comma behind it, in bytes.
    private static func size(of part: MessagePart) -> Int { AgentJSON().encode(part).count + 1 }

    private static func size(of state: TextPart.State?) -> Int {
        switch state {
        case nil: 0
        case .streaming?: #","state":"streaming""#.utf8.count
        case .done?: #","state":"done""#.utf8.count
        }
    }

    private static func size(of metadata: JSON?) -> Int {
        metadata.map { #","providerMetadata":"#.utf8.count + $0.description.utf8.count } ?? 0
    }

    /// What a text adds to a text in JSON.
    static func escapedSize(of text: String) -> Int {
        let bytes = text.utf8.span
        var size = bytes.count
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                size += 1
            case ..<0x20: size += 5
            default: break
            }
        }
        return size
    }
}
