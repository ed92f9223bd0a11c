/// What the contract asks of texts.
enum Text {
    /// Whether there is white space at either end, or nothing else.
    static func isPadded(_ text: String) -> Bool {
        guard let start = text.utf8.first, let end = text.utf8.last else { return false }
        // Nearly all texts begin and end in ASCII, whose blanks need no table.
        if start < 0x80, end < 0x80 { return isBlank(start) || isBlank(end) }
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
        return first.properties.isWhitespace || last.properties.isWhitespace
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    /// Without blanks at either end, and in lower case as far as it is ASCII.
    static func folded(_ text: some StringProtocol) -> String {
        var scalars = text.unicodeScalars[...]
        while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() }
        while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        return lowercased(String(String.UnicodeScalarView(scalars)))
    }

    /// In lower case as far as it is ASCII.
    static func lowercased(_ text: String) -> String {
        guard text.utf8.contains(where: isCapital) else { return text }
        return String(decoding: text.utf8.map { isCapital($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static func isCapital(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }
}
