public import AgentChat

/// Where a service is, and the token that opens it: `http://HOST[:PORT]/[#chat=ID]`, as the page's address is.
public struct ServiceAddress: Sendable, Hashable {
    /// The name or address of the machine.
    public let host: String
    /// The port; 80 where the text has none.
    public let port: Int
    /// The chat that the text names.
    public let chat: Identifier?
    /// What `Authorization` says behind `Bearer`.
    public var token: String?

    /// Reads a text; nil where it is no such address.
    public init?(_ text: String, token: String? = nil) {
        guard text.hasPrefix("http://") else { return nil }
        let parts = text.dropFirst(7).split(separator: "#", maxSplits: 1)
        guard let first = parts.first, let place = first.split(separator: "/").first else { return nil }
        if let colon = place.lastIndex(of: ":"), !place.hasSuffix("]") {
            guard let port = Int(place[place.index(after: colon)...]), (1...65_535).contains(port) else { return nil }
            (host, self.port) = (Self.bare(place[..<colon]), port)
        } else {
            (host, port) = (Self.bare(place), 80)
        }
        let word = parts.count > 1 && parts[1].hasPrefix("chat=") ? String(parts[1].dropFirst(5)) : nil
        chat = word.flatMap(Identifier.init(checking:))
        self.token = token
        guard !host.isEmpty else { return nil }
    }

    private static func bare(_ host: Substring) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
    }

    /// The fields of a request to it.
    var headers: [(String, String)] {
        let name = host.contains(":") ? "[\(host)]" : host
        return [("Host", "\(name):\(port)")] + (token.map { [("Authorization", "Bearer \($0)")] } ?? [])
    }
}
