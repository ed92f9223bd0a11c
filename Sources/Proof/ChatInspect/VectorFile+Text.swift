public import ChatCodec
internal import ChatModel

// A file for people: a line for each case, or the trees of one case.
extension VectorFile {
    /// A piece of bytes of which the case says that it is good, and that is not.
    public struct Mismatch: Sendable {
        /// The case.
        public let id: String
        /// Where in the case.
        public let path: String
    }

    /// Cases that say of bytes that they are good although they are malformed.
    public func mismatches(_ keys: Keys = Keys()) -> [Mismatch] {
        cases.flatMap { some in
            some.items.filter { !$0.agrees($0.findings(keys)) }.map { Mismatch(id: some.id, path: $0.path) }
        }
    }

    /// A line for each case: what is in it, and whether that is well-formed.
    public func summary(_ keys: Keys = Keys()) -> String {
        let width = (cases.map(\.id.count).max() ?? 0) + 2
        var lines = ["\(cases.count) cases of kind \(kind)", ""]
        for some in cases {
            let found = some.items.map { (item: $0, findings: $0.findings(keys)) }
            let isWrong = found.contains { !$0.item.agrees($0.findings) }
            let words = found.map { _, findings -> String in
                let word = findings.isSound ? "" : " " + (findings.piece.faults.first?.word ?? "malformed")
                return "\(findings.kind?.title ?? "unknown") (\(findings.piece.count))\(word)"
            }
            let padding = String(repeating: " ", count: width - some.id.count)
            let text = words.isEmpty ? "nothing to inspect" : words.joined(separator: ", ")
            lines.append("\(isWrong ? "✗" : "✓") \(some.id)\(padding)\(text)")
        }
        return lines.joined(separator: "\n")
    }

    /// The same for programs.
    public func json(_ keys: Keys = Keys()) -> JSON {
        let cases: [JSON] = self.cases.map { some in
            let items: [JSON] = some.items.map { item in
                ["path": .string(item.path), "valid": .bool(item.isValid), "findings": item.findings(keys).json]
            }
            return ["id": .string(some.id), "operation": .string(some.operation), "items": .array(items)]
        }
        return ["kind": .string(kind), "cases": .array(cases)]
    }
}

extension VectorFile.Case {
    /// The tree of each piece of bytes.
    public func text(_ style: Findings.Style = Findings.Style(), _ keys: Keys = Keys()) -> String {
        guard !items.isEmpty else { return "\(id): nothing to inspect" }
        return items.map { "\(id), \($0.path)\n\n\($0.findings(keys).text(style))" }.joined(separator: "\n\n\n")
    }
}
