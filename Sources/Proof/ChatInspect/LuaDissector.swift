internal import ChatDeliveryService

/// A dissector for Wireshark in Lua, made from the layouts that the inspector reads by.
public enum LuaDissector {
    /// The script: `chat-inspect --lua > chat.lua`, then `wireshark -X lua_script:chat.lua FILE`.
    public static var text: String {
        [
            "-- Made by chat-inspect --lua: datagrams between chat clients and a relay, and what they carry.",
            "local LARGEST_FRAGMENT = \(UDPFormat.range(ofFragment: 0, of: 1 << 20).count)",
            "local datagrams = \(relay(RelayLayout.datagrams))",
            "local messages = \(relay(RelayLayout.messages))",
            "local layouts = \(layouts)",
            script,
        ].joined(separator: "\n")
    }

    private static func relay(_ all: [RelayLayout]) -> String {
        let rows = all.map { one in
            let fields = one.fields.map { "{\(quoted($0.name)), \($0.width.lua)}" }.joined(separator: ", ")
            return "  [\(one.code)] = { name = \(quoted(one.name)), fields = { \(fields) } },"
        }
        return "{\n\(rows.joined(separator: "\n"))\n}"
    }

    /// All proto3 messages that a payload may have in it.
    private static var layouts: String {
        var (rows, seen): ([String], Set<String>) = ([], [])
        func add(_ layout: Layout) {
            guard seen.insert(layout.name).inserted else { return }
            var inner: [Layout] = []
            let fields = layout.fields.sorted { $0.key < $1.key }.map { number, field in
                var (type, into) = ("bytes", "")
                switch field.type {
                case .number, .time, .flag: type = "number"
                case .text, .hint: type = "text"
                case .bytes, .exactly, .content: break
                case .message(let layout):
                    into = ", into = \(quoted(layout.name))"
                    inner.append(layout)
                case .inner(let kind):
                    guard let layout = Layout.of(kind) else { break }
                    into = ", into = \(quoted(layout.name)), maybe = true"
                    inner.append(layout)
                }
                let meaning = field.meaning.isEmpty ? "" : ", meaning = \(quoted(field.meaning))"
                return "    [\(number)] = { name = \(quoted(field.name)), type = \(quoted(type))\(into)\(meaning) },"
            }
            rows.append("  [\(quoted(layout.name))] = {\n\(fields.joined(separator: "\n"))\n  },")
            inner.forEach(add)
        }
        if let envelope = Layout.of(.envelope) { add(envelope) }
        return "{\n\(rows.joined(separator: "\n"))\n}"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

extension RelayLayout.Width {
    fileprivate var lua: String {
        switch self {
        case .number(let count): "\"number\", \(count)"
        case .bytes(let count): "\"bytes\", \(count)"
        case .text: "\"text\""
        case .short: "\"short\""
        case .again: "\"again\""
        case .frames: "\"frames\""
        case .padding: "\"padding\""
        case .payload: "\"payload\""
        }
    }
}
