public import ChatCodec
internal import ChatModel

// A capture for people, a line for each datagram, and for programs.
extension CaptureFile {
    /// A line for each datagram: its number, seconds since the first, from where to where, its size and what it carries.
    public func summary(_ keys: Keys = Keys()) -> String {
        let start = datagrams.first?.microseconds ?? 0
        var lines = datagrams.map { $0.line(since: start, keys) }
        lines.append("\(datagrams.count) UDP datagrams\(others == 0 ? "" : ", \(others) other packets")")
        return lines.joined(separator: "\n")
    }

    /// The same for programs, with all trees.
    public func json(_ keys: Keys = Keys()) -> JSON {
        let list = datagrams.map { one -> JSON in
            [
                "number": JSON(one.number), "microseconds": JSON(one.microseconds), "from": .string(one.source),
                "to": .string(one.destination), "findings": one.findings(keys).json,
            ]
        }
        return ["datagrams": .array(list), "others": JSON(others)]
    }

    /// Whether every datagram is what a client and a relay say to each other.
    public func isSound(_ keys: Keys = Keys()) -> Bool { datagrams.allSatisfy { $0.findings(keys).isSound } }
}

extension CaptureFile.Datagram {
    fileprivate func line(since start: UInt64, _ keys: Keys) -> String {
        let findings = findings(keys)
        let time = microseconds >= start ? microseconds - start : 0
        let fraction = String(time % 1_000_000)
        let seconds = "\(time / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
        let fault = findings.piece.faults.first.map { " ✗ \($0.word) at byte \($0.offset): \($0.reason)" } ?? ""
        return
            "\(number)  \(seconds)  \(source) → \(destination)  \(bytes.count) bytes  \(findings.piece.carried)\(fault)"
    }
}

extension DissectionNode {
    /// What a datagram says, in the names of its frames and messages.
    fileprivate var carried: String {
        let kind = parts.first { $0.name == "kind" }?.meaning.prefix { $0 != ":" } ?? "unknown"
        let frames = parts.filter { ["PADDING", "PING", "ACK", "MESSAGE"].contains($0.name) }
        return ([String(kind)] + frames.map(\.frameWords)).joined(separator: " ")
    }

    private var frameWords: String {
        guard name == "MESSAGE" else { return name }
        let words = parts.flatMap(\.messageWords)
        return words.isEmpty ? "MESSAGE (a part)" : words.joined(separator: " ")
    }

    private var messageWords: [String] {
        if name == "code" { return [meaning] }
        if name.hasPrefix("payload: ") { return ["(\(name.dropFirst("payload: ".count)))"] }
        return parts.flatMap(\.messageWords)
    }
}
