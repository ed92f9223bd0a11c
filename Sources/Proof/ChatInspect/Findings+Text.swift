import ChatCodec
import ChatModel

// The tree for people: where, how long, what, and on the right what it means and which requirement says so.
extension Findings {
    /// How a tree is printed.
    public struct Style: Sendable {
        /// With colours, for a terminal.
        public var hasColour: Bool
        /// Values in full length.
        public var isFull: Bool

        /// A style; plain and short unless asked for.
        public init(hasColour: Bool = false, isFull: Bool = false) {
            (self.hasColour, self.isFull) = (hasColour, isFull)
        }
    }

    /// The whole answer.
    public func text(_ style: Style = Style()) -> String {
        var rows: [Row] = []
        piece.addRows(to: &rows, style, lead: "", rest: "")
        let widths = rows.map(\.width).filter { $0 <= Row.widest }
        let column = (widths.max() ?? 0) + 2
        let size =
            "\(piece.count) \(piece.count == 1 ? "byte" : "bytes")\(form == .link ? "" : " from \(form.rawValue)")"
        var lines = ["\(kind?.title ?? "unknown"), \(size)\(remark.map { " (\($0))" } ?? "")", "", "    at  bytes"]
        lines += rows.map { $0.line(style, column: column) }
        if rows.contains(where: { $0.place.contains("+") }) {
            lines += ["", "+ counts from the first byte of what was opened or decoded"]
        }
        lines += ["", verdict(style)]
        return lines.joined(separator: "\n")
    }

    private func verdict(_ style: Style) -> String {
        guard let fault = piece.faults.first else {
            return kind == nil ? style.bad("nothing that is known here") : style.good("well-formed")
        }
        let place = "at \(fault.origin == .opened ? "opened " : "")byte \(fault.offset)"
        let indent = String(repeating: " ", count: fault.word.count + 2)
        let (breaks, violates) = fault.outcome == .invalid ? ("breaks ", "violates") : ("", "by")
        return style.bad(fault.word) + ": \(breaks)\(place): \(fault.reason)\n"
            + "\(indent)\(violates) \(fault.requirement) (\(fault.section))"
    }
}

/// One line of a tree.
private struct Row {
    /// What is wider pushes its note to the right instead of all others.
    static let widest = 72
    var place: String
    var lead: String
    var name: String
    var value: String
    var note: String
    var fault: String?

    var width: Int { lead.count + name.count + (value.isEmpty ? 0 : value.count + 2) }

    func line(_ style: Findings.Style, column: Int) -> String {
        if let fault { return "\(place)  \(style.faint(lead))\(style.bad("✗ \(fault)"))" }
        let body = style.faint(lead) + style.strong(name) + (value.isEmpty ? "" : "  \(value)")
        guard !note.isEmpty else { return "\(style.faint(place))  \(body)" }
        let gap = String(repeating: " ", count: max(2, column - width))
        return "\(style.faint(place))  \(body)\(gap)\(style.faint(note))"
    }
}

extension DissectionNode {
    fileprivate func addRows(to rows: inout [Row], _ style: Findings.Style, lead: String, rest: String) {
        rows.append(Row(place: place, lead: lead, name: name, value: value.text(style), note: note))
        if let fault {
            let place = fault.at.padded(6) + "       "
            let line = parts.isEmpty ? rest : rest + "│"
            rows.append(
                Row(
                    place: place, lead: line + (line.isEmpty ? "" : " "), name: "", value: "", note: "",
                    fault: fault.line))
        }
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            part.addRows(to: &rows, style, lead: rest + (isLast ? "└─ " : "├─ "), rest: rest + (isLast ? "   " : "│  "))
        }
    }

    private var place: String {
        guard let offset else { return String(repeating: " ", count: 13) }
        return ((origin == .opened ? "+" : "") + String(offset)).padded(6) + String(count).padded(7)
    }

    private var note: String {
        let source = [requirement, section?.description ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
        return meaning + (source.isEmpty ? "" : (meaning.isEmpty ? "" : " ") + "[\(source)]")
    }
}

extension Fault {
    fileprivate var at: String { (origin == .opened ? "+" : "") + String(offset) }
    fileprivate var line: String { "breaks here: \(reason) [\(requirement)]" }
}

extension Value {
    fileprivate func text(_ style: Findings.Style) -> String {
        switch self {
        case .none: ""
        case .number(let number): String(number)
        case .time(let time): "\(time) (\(Self.date(time)))"
        case .text(let text): style.isFull || text.count <= 48 ? text.quoted : "\(String(text.prefix(44)).quoted)…"
        case .bytes(let bytes): style.isFull ? Hex.encode(bytes.array) : bytes.shortHex
        case .word(let word): word
        }
    }

    /// Day and time of milliseconds since 1970, by the proleptic calendar.
    private static func date(_ milliseconds: Int64) -> String {
        let seconds = milliseconds >= 0 ? milliseconds / 1_000 : (milliseconds - 999) / 1_000
        let (days, second) = (seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0), (seconds % 86_400 + 86_400) % 86_400)
        guard (-719_162...2_932_896).contains(days) else { return "no year of four digits" }
        // Days are counted from the first of March of year 0, so that leap days come last.
        let shifted = days + 719_468
        let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
        let year = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let calendar = (year + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9)
        let date = [String(calendar.0), String(calendar.1).two, String(day).two].joined(separator: "-")
        let time = [second / 3_600, second / 60 % 60, second % 60].map { String($0).two }.joined(separator: ":")
        return "\(date) \(time) UTC"
    }
}

extension Bytes {
    /// Hex with its middle left out, if it is long.
    fileprivate var shortHex: String {
        guard count > 20 else { return isEmpty ? "empty" : Hex.encode(array) }
        return "\(Hex.encode(slice(0..<8).array))…\(Hex.encode(slice(count - 4..<count).array)) (\(count) bytes)"
    }
}

extension String {
    /// In quotes, with everything escaped that could do something to a terminal.
    var quoted: String {
        var text = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\n": text += "\\n"
            case _ where scalar.isUnsafe: text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    fileprivate func padded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
    fileprivate var two: String { count < 2 ? "0\(self)" : self }
}

extension Findings.Style {
    fileprivate func faint(_ text: String) -> String { coloured(text, "2") }
    fileprivate func strong(_ text: String) -> String { coloured(text, "1") }
    fileprivate func good(_ text: String) -> String { coloured(text, "32") }
    fileprivate func bad(_ text: String) -> String { coloured(text, "31") }
    private func coloured(_ text: String, _ code: String) -> String {
        hasColour && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
