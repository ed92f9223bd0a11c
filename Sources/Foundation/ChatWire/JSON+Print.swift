// Printing: the same value always gives the same bytes.
extension JSON: CustomStringConvertible {
    /// The text on one line, without spaces.
    public var description: String { printed() }

    /// The text on one line, or indented by two spaces a level.
    public func printed(pretty: Bool = false) -> String {
        var text = ""
        print(into: &text, indent: pretty ? 0 : nil)
        return text
    }

    private func print(into text: inout String, indent: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .unsigned(let value): text += String(value)
        case .number(let value): text += value.isFinite ? "\(value)" : "null"
        case .string(let value): Self.quote(value, into: &text)
        case .array(let list):
            Self.printItems(list, "[", "]", into: &text, indent: indent) { item, text, inner in
                item.print(into: &text, indent: inner)
            }
        case .object(let object):
            Self.printItems(object.members, "{", "}", into: &text, indent: indent) { member, text, inner in
                Self.quote(member.key, into: &text)
                text += inner == nil ? ":" : ": "
                member.value.print(into: &text, indent: inner)
            }
        }
    }

    private static func printItems<Item>(
        _ items: [Item], _ open: String, _ close: String, into text: inout String, indent: Int?,
        _ print: (Item, inout String, Int?) -> Void
    ) {
        text += open
        let inner = indent.map { $0 + 2 }
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            breakLine(inner, in: &text)
            print(item, &text, inner)
        }
        if !items.isEmpty { breakLine(indent, in: &text) }
        text += close
    }

    private static func breakLine(_ indent: Int?, in text: inout String) {
        guard let indent else { return }
        text += "\n" + String(repeating: " ", count: indent)
    }

    private static func quote(_ value: String, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
