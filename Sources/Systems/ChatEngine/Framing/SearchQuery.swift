import ChatCodec

/// The parameters of both searches (CE-13).
public struct SearchQuery: Hashable, Sendable {
    /// What is looked for; nothing in it is syntax.
    public var text: String
    /// The most results on a page, 1 to 100.
    public var limit: Int
    /// How many results come before the page.
    public var offset: Int

    /// A query.
    public init(_ text: String, limit: Int = 20, offset: Int = 0) {
        (self.text, self.limit, self.offset) = (text, min(100, max(1, limit)), max(0, offset))
    }

    /// Reads the parameters of a URL, decoded; a name comes once, and an unknown one is nobody's business.
    public init(_ parameters: [(String, String)]) throws(Violation) {
        func value(_ name: String) throws(Violation) -> String? {
            let values = parameters.filter { ExactText.isSame($0.0, name) }
            guard values.count <= 1 else { throw Violation(.query, "comes more than once", at: name) }
            return values.first?.1
        }
        guard let text = try value("query"), !text.isEmpty else {
            throw Violation(.query, "is missing or empty", at: "query")
        }
        self.text = text
        limit = try value("limit").map { text throws(Violation) in try Self.number(text, 1...100, "limit") } ?? 20
        offset =
            try value("offset").map { text throws(Violation) in try Self.number(text, Fields.counts, "offset") } ?? 0
    }

    /// A plain decimal integer.
    private static func number(_ text: String, _ bounds: ClosedRange<Int>, _ name: String) throws(Violation) -> Int {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(text), bounds.contains(number)
        else {
            throw Violation(.query, "is no whole number from \(bounds.lowerBound) to \(bounds.upperBound)", at: name)
        }
        return number
    }

    /// A page of a list.
    public func page<Element>(_ list: [Element]) -> [Element] { Array(list.dropFirst(offset).prefix(limit)) }
}
