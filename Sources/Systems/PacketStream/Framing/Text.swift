/// What the contract asks of texts.
enum Text {
    /// Whether there is white space at either end, or nothing else.
    static func isPadded(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
        return first.properties.isWhitespace || last.properties.isWhitespace
    }

    /// Without blanks at either end, and in lower case as far as it is ASCII.
    static func folded(_ text: some StringProtocol) -> String {
        var scalars = text.unicodeScalars[...]
        while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() }
        while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        return lowercased(String(String.UnicodeScalarView(scalars)))
    }

    /// In lower case as far as it is ASCII.
    static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
