import ChatCodec
import ChatDiscovery
import ChatModel

// Links, and the three formats of fixed fields that carry payloads.
extension Inspector {
    /// The text of a link, and what it carries.
    func link(_ run: Run, depth: Int) -> DissectionNode {
        var piece = DissectionNode(.link, run)
        let text = run.bytes.array
        // The payload may hold `_`, so only the first three separate (INTRO-02).
        let parts = text.split(separator: UInt8(ascii: "_"), maxSplits: 3, omittingEmptySubsequences: false)
        for (name, part, rule) in zip3(
            ["prefix", "namespace", "version", "payload"], parts, ["INTRO-01", "INTRO-02", "INTRO-03", "LINK-1"])
        {
            var field = DissectionNode(name, run.part(part.startIndex..<part.endIndex))
            field.value = .text(String(decoding: part, as: UTF8.self))
            field.requirement = rule
            piece.parts.append(field)
        }
        if let (bytes, kind) = carried(by: parts), let index = piece.parts.indices.last {
            let inner = self.piece(kind, Run(Bytes(bytes), origin: .opened), depth: depth + 1)
            var decoded = DissectionNode("decoded", Run(Bytes(bytes), origin: .opened))
            decoded.adopt(inner)
            piece.parts[index].parts = [decoded]
        }
        do throws(DiscoveryError) {
            _ = try IntroLink(String(decoding: text, as: UTF8.self))
        } catch {
            guard piece.faults.isEmpty else { return piece }
            piece.fault = run.fault(error.offset ?? 0, "\(error)", "INTRO-01", Section("intro-links.md", "Form"))
        }
        return piece
    }

    private func carried(by parts: [ArraySlice<UInt8>]) -> ([UInt8], Kind)? {
        guard parts.count == 4, let bytes = try? Base64URL.decode(String(decoding: parts[3], as: UTF8.self)) else {
            return nil
        }
        switch String(decoding: parts[1], as: UTF8.self) {
        case "chatintro": return (bytes, .bundle)
        case "openinvite": return (bytes, .openBundle)
        default: return nil
        }
    }

    /// Version, route, length, payload.
    func plain(_ run: Run, depth: Int) -> DissectionNode {
        var walk = FieldWalk(DissectionNode(.plain, run), run, requirement: "PLAINFRAMING-3")
        if let version = walk.number("version", 1), version != 1 {
            walk.fail(at: 0, "version \(version); 1 is the only one", "PLAINFRAMING-1")
        }
        walk.text("route", "for whom, in plain", emptyIsWrong: true)
        guard let length = walk.number("length", 4), !walk.isBroken else { return walk.piece }
        let count = min(Int(length), walk.rest)
        let payload = run.part(walk.offset..<walk.offset + count)
        var part = DissectionNode("payload", payload)
        part.value = .bytes(payload.bytes)
        look(inside: &part, .payload, payload, depth: depth + 1, isCut: count < Int(length))
        walk.add(part, bytes: count)
        if count < Int(length) {
            walk.fail(at: run.bytes.count, "\(Int(length) - count) more bytes expected for payload")
        }
        walk.end()
        return walk.piece
    }

    /// An identifier, and the payload behind it.
    func identified(_ run: Run, depth: Int) -> DissectionNode {
        var walk = FieldWalk(DissectionNode(.rpi, run), run, requirement: "RPIV1-6")
        walk.bytes("identifier", 16, "of this payload alone; who has the route's secret can derive it")
        guard !walk.isBroken else { return walk.piece }
        let payload = run.part(walk.offset..<run.bytes.count)
        var part = DissectionNode("payload", payload)
        part.value = .bytes(payload.bytes)
        look(inside: &part, .payload, payload, depth: depth + 1)
        walk.add(part, bytes: payload.bytes.count)
        return walk.piece
    }

    /// Version, kind, number, content.
    func plainFrame(_ run: Run, depth: Int) -> DissectionNode {
        var walk = FieldWalk(DissectionNode(.plainFrame, run), run, requirement: "PLAIN-2")
        for name in ["version", "kind"] {
            if let value = walk.number(name, 1), value != 1 {
                walk.fail(at: walk.offset - 1, "\(name) \(value); 1 is the only one")
            }
        }
        walk.number("number", 8, "counts the payloads of one direction, from 0")
        guard !walk.isBroken else { return walk.piece }
        let content = run.part(walk.offset..<run.bytes.count)
        var part = DissectionNode("content", content)
        part.value = .bytes(content.bytes)
        lookForContent(inside: &part, content, depth: depth + 1)
        walk.add(part, bytes: content.bytes.count)
        return walk.piece
    }
}

private func zip3<A, B, C>(_ first: [A], _ second: [B], _ third: [C]) -> [(A, B, C)] {
    zip(zip(first, second), third).map { ($0.0, $0.1, $1) }
}

extension DiscoveryError {
    /// The byte at which a text breaks, if it has one.
    fileprivate var offset: Int? {
        if case .malformed(_, let at) = self { at } else { nil }
    }
}
