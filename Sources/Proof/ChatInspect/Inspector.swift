import ChatCodec
public import ChatModel

/// Reads bytes as one of the kinds and says what each of them is.
///
/// Whatever the bytes are, there is an answer: a tree that covers them as far as they can be read, with a
/// ``Fault`` where they break. With keys it looks into what is sealed.
public struct Inspector: Sendable {
    /// Levels of nesting that are looked into; the deepest message in use has twelve, opened layers included.
    public static let maximumDepth = 24

    /// What is known beside the bytes.
    public var keys: Keys

    /// Makes an inspector that knows some keys.
    public init(_ keys: Keys = Keys()) {
        self.keys = keys
    }

    /// Reads bytes as a kind; ``Kind/link`` is the text of a link.
    public func inspect(_ bytes: Bytes, as kind: Kind) -> DissectionNode {
        piece(kind, Run(bytes), depth: 1)
    }

    func piece(_ kind: Kind, _ run: Run, depth: Int) -> DissectionNode {
        guard let layout = Layout.of(kind) else { return fixed(kind, run, depth: depth) }
        return MessageWalk(inspector: self, layout: layout, run: run, depth: depth).piece()
    }

    /// Kinds that are no proto3 messages.
    private func fixed(_ kind: Kind, _ run: Run, depth: Int) -> DissectionNode {
        switch kind {
        case .link: link(run, depth: depth)
        case .plain: plain(run, depth: depth)
        case .rpi: identified(run, depth: depth)
        case .plainFrame: plainFrame(run, depth: depth)
        case .datagram: datagram(run, depth: depth)
        case .packet: packet(run)
        default: message(run, depth: depth)
        }
    }

    /// Puts a kind under a field that may hold it, or may hold something else.
    func look(inside piece: inout DissectionNode, _ kind: Kind, _ run: Run, depth: Int, isCut: Bool = false) {
        guard depth < Self.maximumDepth, !run.bytes.isEmpty else { return }
        let expected = self.piece(kind, run, depth: depth)
        if isCut, expected.isRecognized, kind == .payload || kind == .inboxFrame { return piece.adopt(expected) }
        if let (_, other) = guess(run, among: [kind] + kind.others, depth: depth, known: (kind, expected)) {
            return piece.adopt(other)
        }
        // Broken, but begun as it should be: then where it breaks is of interest.
        if expected.isRecognized, [.payload, .inboxFrame].contains(kind) { return piece.adopt(expected) }
        if piece.meaning.isEmpty, let text = run.bytes.printableText {
            piece.meaning = text.prefix(40).description.quoted
        }
    }

    /// Content is anything; a frame that says what it is, is shown as one, and text as text.
    func lookForContent(inside piece: inout DissectionNode, _ run: Run, depth: Int) {
        guard depth < Self.maximumDepth else { return }
        if let (_, found) = guess(run, among: [.content, .inboxFrame], depth: depth) { return piece.adopt(found) }
        if let text = run.bytes.printableText { piece.value = .text(text) }
    }
}

extension Kind {
    /// What stands where this kind stands, in other compositions.
    fileprivate var others: [Kind] {
        switch self {
        case .payload: [.openInvite, .plainFrame]
        case .segment: [.content, .libchatFrame, .frame]
        case .frame: [.sds, .content]
        default: []
        }
    }
}

extension DissectionNode {
    /// Whether some field of it was known.
    var isRecognized: Bool {
        parts.contains { !$0.isUnknown && $0.name != "rest" }
    }

    /// Fields that nobody knows, here and inside.
    var unknownFields: Int { (isUnknown ? 1 : 0) + parts.reduce(0) { $0 + $1.unknownFields } }

    /// Becomes the field that holds a message.
    mutating func adopt(_ inner: DissectionNode) {
        name += ": \(inner.name)"
        (value, parts, fault, section) = (.none, inner.parts, inner.fault, inner.section)
    }

    /// Adds a remark on the piece, which is no bytes.
    mutating func note(_ text: String, _ requirement: String = "", isProven: Bool = false) {
        var remark = DissectionNode(isProven ? "✓" : "•")
        (remark.value, remark.requirement) = (.word(text), requirement)
        parts.append(remark)
    }

    /// Adds what was checked and is right.
    mutating func proven(_ text: String, _ requirement: String = "") {
        note(text, requirement, isProven: true)
    }
}

extension Bytes {
    /// The text that these bytes are, if they are one that a person can read.
    var printableText: String? {
        guard !isEmpty, let text = try? UTF8Span(validating: span) else { return nil }
        let string = String(copying: text)
        let isReadable = string.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || !$0.isUnsafe }
        return isReadable ? string : nil
    }
}

extension Unicode.Scalar {
    /// Whether it could do something to a terminal or to the order of a line.
    var isUnsafe: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
        default: false
        }
    }
}
