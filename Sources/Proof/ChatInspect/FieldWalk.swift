import ChatModel

/// Reads fields of fixed widths, big-endian, one after the other, into the parts of a piece.
///
/// The first field that is not there breaks it; what follows is nil and adds nothing.
struct FieldWalk {
    private(set) var piece: DissectionNode
    let run: Run
    let requirement: String
    private(set) var offset: Int

    init(_ piece: DissectionNode, _ run: Run, at offset: Int = 0, requirement: String) {
        (self.piece, self.run, self.offset, self.requirement) = (piece, run, offset, requirement)
    }

    var isBroken: Bool { piece.fault != nil }
    var rest: Int { run.bytes.count - offset }

    /// A number of so many bytes.
    @discardableResult mutating func number(_ name: String, _ width: Int, _ meaning: String = "") -> UInt64? {
        guard let bytes = take(name, width) else { return nil }
        let value = bytes.bytes.span.bigEndian(0..<width)
        add(name, bytes, .number(value), meaning)
        return value
    }

    /// So many bytes.
    @discardableResult mutating func bytes(_ name: String, _ count: Int, _ meaning: String = "") -> Run? {
        guard let bytes = take(name, count) else { return nil }
        add(name, bytes, .bytes(bytes.bytes), meaning)
        return bytes
    }

    /// A text behind one byte that says its length.
    @discardableResult mutating func text(_ name: String, _ meaning: String = "", emptyIsWrong: Bool = false) -> String?
    {
        guard let head = take(name, 1), let bytes = take(name, Int(head.bytes[0])) else { return nil }
        let whole = run.part(offset - bytes.bytes.count - 1..<offset)
        guard let text = try? UTF8Span(validating: bytes.bytes.span) else {
            add(name, whole, .bytes(bytes.bytes), meaning)
            fail(at: offset - bytes.bytes.count, "\(name) is no UTF-8")
            return nil
        }
        add(name, whole, .text(String(copying: text)), meaning)
        if emptyIsWrong, bytes.bytes.isEmpty { fail(at: offset, "\(name) is empty") }
        return String(copying: text)
    }

    /// Bytes behind one byte that says how many, of which there may be so many.
    mutating func short(_ name: String, limit: Int, _ meaning: String = "") {
        guard let head = take(name, 1) else { return }
        let count = Int(head.bytes[0])
        guard count <= limit else { return fail(at: offset - 1, "\(name) of \(count) bytes; at most \(limit)") }
        guard let bytes = take(name, count) else { return }
        add(name, run.part(offset - count - 1..<offset), .bytes(bytes.bytes), meaning)
    }

    /// A piece that somebody else read, of so many bytes.
    mutating func add(_ part: DissectionNode, bytes count: Int = 0) {
        piece.parts.append(part)
        offset += count
    }

    /// Says what the number just read means.
    mutating func explain(_ meaning: String) {
        guard !piece.parts.isEmpty else { return }
        piece.parts[piece.parts.count - 1].meaning = meaning
    }

    /// Everything is read: more bytes are wrong.
    mutating func end() {
        guard !isBroken, rest > 0 else { return }
        fail(at: offset, "\(rest) bytes behind the end")
    }

    /// Breaks here; of several faults the first counts.
    mutating func fail(at place: Int, _ reason: String, _ rule: String? = nil) {
        guard !isBroken else { return }
        piece.fault = run.fault(place, reason, rule ?? requirement, piece.section ?? .messages)
    }

    private mutating func take(_ name: String, _ count: Int) -> Run? {
        guard !isBroken else { return nil }
        guard count <= rest else {
            fail(at: run.bytes.count, "\(count - rest) more bytes expected for \(name)")
            return nil
        }
        defer { offset += count }
        return run.part(offset..<offset + count)
    }

    private mutating func add(_ name: String, _ run: Run, _ value: Value, _ meaning: String) {
        var part = DissectionNode(name, run)
        (part.value, part.meaning) = (value, meaning)
        piece.parts.append(part)
    }
}

extension DissectionNode {
    /// A kind at a run.
    init(_ kind: Kind, _ run: Run) {
        self.init(kind.title, run)
        section = kind.section
    }
}
