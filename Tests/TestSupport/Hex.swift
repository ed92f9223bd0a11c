import Testing

extension [UInt8] {
    /// The bytes of a hex text in either case; spaces and line breaks do not count. An issue if it is none.
    public init(hex text: String) {
        var digits: [UInt8] = []
        for character in text where !character.isWhitespace {
            guard let digit = character.hexDigitValue else {
                Issue.record("no hex: \(text.prefix(40))")
                break
            }
            digits.append(UInt8(digit))
        }
        if digits.count % 2 == 1 { Issue.record("half a byte too much: \(text.prefix(40))") }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Lowercase hex.
    public var hex: String {
        let digits = Swift.Array("0123456789abcdef")
        return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
