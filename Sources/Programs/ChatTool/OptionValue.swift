/// A type of values that can be given on a command line.
public protocol OptionValue: Sendable {
    /// What one may type, in words: `a number`.
    static var expected: String { get }
    /// Reads what was typed; nil if it is not a value.
    init?(option text: String)
    /// The value as one would type it.
    var optionText: String { get }
}

extension OptionValue where Self: CustomStringConvertible {
    /// The description.
    public var optionText: String { description }
}

extension Optional: OptionValue where Wrapped: OptionValue {
    /// The same as of the value.
    public static var expected: String { Wrapped.expected }
    /// Reads the value.
    public init?(option text: String) {
        guard let value = Wrapped(option: text) else { return nil }
        self = .some(value)
    }
    /// The value, or nothing.
    public var optionText: String { self?.optionText ?? "" }
}

extension String: OptionValue {
    /// Any text but an empty one.
    public static var expected: String { "a text" }
    /// Takes the text as it is.
    public init?(option text: String) {
        guard !text.isEmpty else { return nil }
        self = text
    }
}

extension Int: OptionValue {
    /// A whole number, with `k`, `M` or `G` for powers of 1,024.
    public static var expected: String { "a number" }
    /// Reads decimal digits and a unit.
    public init?(option text: String) {
        let shift = ["k": 10, "K": 10, "M": 20, "G": 30][text.last]
        guard let number = Int(shift == nil ? text[...] : text.dropLast()) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        guard !overflow else { return nil }
        self = product
    }
    /// Digits, with a unit where that is exact.
    public var optionText: String {
        for (unit, shift) in [("G", 30), ("M", 20), ("k", 10)] where self != 0 && self % (1 << shift) == 0 {
            return "\(self >> shift)\(unit)"
        }
        return description
    }
}

extension Double: OptionValue {
    /// A finite decimal number.
    public static var expected: String { "a decimal number" }
    /// Reads a decimal number; `inf` and `nan` are none.
    public init?(option text: String) {
        guard let number = Double(text), number.isFinite else { return nil }
        self = number
    }
}

extension Bool: OptionValue {
    /// For a switch that is written with a value.
    public static var expected: String { "true or false" }
    /// Reads `true` or `false`.
    public init?(option text: String) {
        self.init(text)
    }
}

extension Duration: OptionValue {
    private static var units: [(name: String, unit: Duration)] {
        [
            ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3_600)),
            ("d", .seconds(86_400)),
        ]
    }
    /// A number with a unit.
    public static var expected: String { "a time such as 500ms, 30s, 5m, 12h or 7d" }
    /// Reads a whole number and its unit, at most 100 years of it.
    public init?(option text: String) {
        for (name, unit) in Self.units where text.hasSuffix(name) {
            guard let number = Int(text.dropLast(name.count)), number >= 0 else { continue }
            guard number <= 36_525 * 86_400_000, unit * number <= .seconds(36_525 * 86_400) else { return nil }
            self = unit * number
            return
        }
        return nil
    }
    /// The largest unit in which the number is whole.
    public var optionText: String {
        let (seconds, attoseconds) = components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        for (name, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] as [(String, Int64)]
        where milliseconds != 0 && milliseconds % size == 0 {
            return "\(milliseconds / size)\(name)"
        }
        return "\(milliseconds)ms"
    }
}

extension OptionValue where Self: RawRepresentable & CaseIterable, RawValue == String {
    /// One of the names.
    public static var expected: String { allCases.map(\.rawValue).joined(separator: ", ") }
    /// Reads one of the names.
    public init?(option text: String) {
        self.init(rawValue: text)
    }
    /// The name.
    public var optionText: String { rawValue }
}
