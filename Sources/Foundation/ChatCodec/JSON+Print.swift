// Printing: the same value always gives the same bytes.
extension JSON: CustomStringConvertible {
    /// The text on one line, without spaces.
    public var description: String { printed() }

    /// The text on one line, or indented by two spaces a level.
    public func printed(pretty: Bool = false) -> String {
        var writer = JSONWriter()
        if pretty { print(into: &writer, indent: 0) } else { writer.value(self) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func print(into writer: inout JSONWriter, indent: Int) {
        switch self {
        case .array(let list) where !list.isEmpty:
            Self.printItems(list, "[", "]", into: &writer, indent: indent) { item, writer in
                item.print(into: &writer, indent: indent + 2)
            }
        case .object(let object) where !object.members.isEmpty:
            Self.printItems(object.members, "{", "}", into: &writer, indent: indent) { member, writer in
                writer.quote(member.key)
                writer.raw(": ")
                member.value.print(into: &writer, indent: indent + 2)
            }
        default: writer.value(self)
        }
    }

    private static func printItems<Item>(
        _ items: [Item], _ open: StaticString, _ close: StaticString, into writer: inout JSONWriter, indent: Int,
        _ print: (Item, inout JSONWriter) -> Void
    ) {
        writer.raw(open)
        for (index, item) in items.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.breakLine(indent: indent + 2)
            print(item, &writer)
        }
        writer.breakLine(indent: indent)
        writer.raw(close)
    }
}
