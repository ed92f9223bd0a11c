import ChatCodec

/// An implementation in the list: a name, and the command that starts one participant.
struct Implementation: Hashable {
    let name: String
    let command: [String]

    /// The most implementations in a list; a matrix of more is no longer read by anybody.
    static let maximumCount = 32

    enum ListError: Error, CustomStringConvertible {
        case noJSON(WireError)
        case form(String)

        var description: String {
            switch self {
            case .noJSON(let error): "the list is no JSON: \(error)"
            case .form(let what):
                "\(what); a list is [{\"name\": \"mine\", \"command\": [\"program\", \"argument\"]}]"
            }
        }
    }

    /// Reads a list: an array of objects with `name` and `command`.
    static func list(_ bytes: [UInt8]) throws(ListError) -> [Implementation] {
        let json: JSON
        do throws(WireError) { json = try JSON(parsing: bytes) } catch { throw .noJSON(error) }
        guard let items = json.list else { throw .form("the list is no array") }
        guard (1...maximumCount).contains(items.count) else { throw .form("\(items.count) implementations") }
        var found: [Implementation] = []
        for item in items {
            guard let name = item["name"]?.text, !name.isEmpty else { throw .form("an implementation without name") }
            guard let command = item["command"]?.list?.compactMap(\.text), !command.isEmpty,
                command.count == item["command"]?.list?.count
            else { throw .form("\(name) has no command") }
            guard !found.contains(where: { $0.name == name }) else { throw .form("\(name) is listed twice") }
            found.append(Implementation(name: name, command: command))
        }
        return found
    }
}
