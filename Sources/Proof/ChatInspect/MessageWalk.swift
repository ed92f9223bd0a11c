import ChatCodec
import ChatModel

/// Reads bytes as a proto3 message and says what each field is; a malformed one is read as far as it goes.
struct MessageWalk {
    /// Fields of one message that are shown; the rest of a longer one is counted as one piece.
    static let maximumParts = 4_096

    let inspector: Inspector
    let layout: Layout
    let run: Run
    let depth: Int

    /// What a field holds, by its wire type.
    private enum Raw {
        case number(UInt64)
        /// Bytes, and how many of them are missing at the end, which may be as many as an `Int` holds.
        case bytes(Run, missing: Int)
        /// The fields of a group, which nobody reads.
        case group(Run)
    }

    /// The message as a piece.
    func piece() -> DissectionNode {
        var piece = DissectionNode(layout.name, run)
        piece.section = layout.section
        var reader = ProtoReader(run.bytes.span)
        while reader.offset < run.bytes.count {
            let start = reader.offset
            guard piece.parts.count < Self.maximumParts else {
                piece.parts.append(DissectionNode("more fields", run.part(start..<run.bytes.count)))
                break
            }
            do throws(WireError) {
                guard let number = try reader.next() else { break }
                let wireType = run.bytes[start] & 7
                let raw = try read(wireType, &reader)
                var part = part(number, raw, wireType: wireType, run.part(start..<reader.offset))
                if case .bytes(let rest, let missing) = raw, missing > 0 {
                    part.count = run.bytes.count - start
                    if part.faults.isEmpty {
                        let reason = "\(part.name) ends \(missing) bytes too early: \(rest.bytes.count) are there"
                        part.fault = run.fault(run.bytes.count, reason, "WIRE-2", .messages)
                    }
                    piece.parts.append(part)
                    break
                }
                piece.parts.append(part)
            } catch {
                var rest = DissectionNode("rest", run.part(start..<run.bytes.count))
                rest.fault = run.fault(error)
                rest.value = .bytes(run.bytes.slice(start..<run.bytes.count))
                piece.parts.append(rest)
                break
            }
        }
        if let kind = layout.kind { inspector.finish(&piece, kind, run, depth: depth) }
        return piece
    }

    private func read(_ wireType: UInt8, _ reader: inout ProtoReader) throws(WireError) -> Raw {
        switch wireType {
        case 0: return .number(try reader.uint64())
        case 1: return .number(try reader.fixed64())
        case 3: return .group(run.part(try reader.group()))
        case 5: return .number(UInt64(try reader.fixed32()))
        default:
            do throws(WireError) {
                return .bytes(run.part(try reader.range()), missing: 0)
            } catch .truncated(let needed, let end) where reader.offset < end || isLengthThere(reader.offset) {
                return .bytes(run.part(reader.offset..<end), missing: needed)
            }
        }
    }

    /// Whether a length was read and only its bytes are missing: then the byte before has no continuation bit.
    private func isLengthThere(_ offset: Int) -> Bool { offset > 1 && run.bytes[offset - 1] < 0x80 }

    private func part(_ number: Int, _ raw: Raw, wireType: UInt8, _ whole: Run) -> DissectionNode {
        guard let field = layout.fields[number] else { return unknown(number, raw, whole) }
        var piece = DissectionNode(field.name, whole)
        (piece.meaning, piece.requirement) = (field.meaning, field.requirement)
        switch (field.type, raw) {
        case (.number, .number(let value)) where wireType == 0: piece.value = .number(value)
        case (.flag, .number(let value)) where wireType == 0: piece.value = .word(value != 0 ? "true" : "false")
        case (.time, .number(let value)) where wireType == 0: piece.value = .time(Int64(bitPattern: value))
        case (.number, _), (.flag, _), (.time, _), (_, .number), (_, .group):
            mismatch(&piece, raw, wireType, number, whole)
        case (.message(let inner), .bytes(let run, _)): look(inside: &piece, inner, run)
        case (let type, .bytes(let run, let missing)): fill(&piece, type, run, missing: missing)
        }
        return piece
    }

    private func unknown(_ number: Int, _ raw: Raw, _ whole: Run) -> DissectionNode {
        var piece = DissectionNode("field \(number)", whole)
        piece.meaning = "unknown here, skipped"
        piece.requirement = "WIRE-3"
        if case .group = raw { (piece.meaning, piece.requirement) = ("a group, skipped", "WIRE-9") }
        piece.isUnknown = true
        piece.value = value(of: raw)
        return piece
    }

    private func mismatch(_ piece: inout DissectionNode, _ raw: Raw, _ wireType: UInt8, _ number: Int, _ whole: Run) {
        piece.value = value(of: raw)
        piece.fault = whole.fault(0, "wire type \(wireType) for \(piece.name), field \(number)", "WIRE-4", .messages)
    }

    private func value(of raw: Raw) -> Value {
        switch raw {
        case .number(let value): .number(value)
        case .bytes(let run, _), .group(let run): .bytes(run.bytes)
        }
    }

    private func look(inside piece: inout DissectionNode, _ layout: Layout, _ run: Run) {
        guard depth < Inspector.maximumDepth else {
            piece.value = .bytes(run.bytes)
            return
        }
        let inner = MessageWalk(inspector: inspector, layout: layout, run: run, depth: depth + 1).piece()
        piece.adopt(inner)
    }

    /// A value of bytes, with what is inside.
    private func fill(_ piece: inout DissectionNode, _ type: Layout.Kind, _ run: Run, missing: Int) {
        piece.value = .bytes(run.bytes)
        let isCut = missing > 0
        let (sum, isBeyond) = run.bytes.count.addingReportingOverflow(missing)
        let announced = isBeyond ? Int.max : sum
        switch type {
        case .exactly(let size) where announced != size:
            let reason = "\(piece.name) has \(announced) bytes, not \(size)"
            let rule = piece.requirement.isEmpty ? "WIRE-2" : piece.requirement
            piece.fault = run.fault(0, reason, rule, layout.section)
        case .text(let limit): readText(&piece, run, limit: limit, isCut: isCut)
        case .hint where run.bytes.count <= Route.maximumID: readText(&piece, run, limit: Route.maximumID, isCut: isCut)
        case .inner(let kind): inspector.look(inside: &piece, kind, run, depth: depth + 1, isCut: isCut)
        case .content: inspector.lookForContent(inside: &piece, run, depth: depth + 1)
        default: return
        }
    }

    private func readText(_ piece: inout DissectionNode, _ run: Run, limit: Int, isCut: Bool) {
        do {
            piece.value = .text(String(copying: try UTF8Span(validating: run.bytes.span)))
        } catch {
            guard !isCut else { return }
            let place = error.byteOffsets.lowerBound
            piece.fault = run.fault(place, "\(piece.name) is no UTF-8", "WIRE-5", .messages)
        }
        guard run.bytes.count > limit, piece.fault == nil else { return }
        let reason = "\(piece.name) has \(run.bytes.count) bytes; at most \(limit) allowed"
        piece.fault = run.fault(limit, reason, "WIRE-5", .messages)
    }
}

extension Section {
    static let messages = Section("wire.md", "Messages: proto3")
}

extension Run {
    /// What broke the reading of a message, at its place.
    func fault(_ error: WireError) -> Fault {
        fault(error.offset ?? 0, error.place, "WIRE-2", .messages)
    }
}

extension WireError {
    /// The byte at which it stands, if it has one.
    var offset: Int? {
        switch self {
        case .truncated(_, let at), .badVarint(let at), .badFieldNumber(_, let at), .badWireType(_, _, let at),
            .tooDeep(_, let at), .notUTF8(let at), .badCharacter(let at), .notCanonical(let at), .badNumber(let at),
            .duplicateKey(_, let at):
            at
        case .wrongLength, .tooLong, .missing, .unknownArm: nil
        }
    }

    /// The same without a place, which a ``Fault`` has already.
    var place: String {
        switch self {
        case .truncated(let needed, _): "\(needed) more \(needed == 1 ? "byte" : "bytes") expected"
        case .badVarint: "a varint of more than 64 bits"
        case .badFieldNumber(let number, _): "field number \(number)"
        case .badWireType(let type, let field, _): "wire type \(type) of field \(field)"
        case .badCharacter: "a character that has no place there"
        case .notCanonical: "unused bits are not zero"
        default: description
        }
    }
}
