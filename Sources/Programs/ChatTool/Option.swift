/// One option of a command line with a typed value: `--name VALUE`, or `--name` alone for a switch.
///
/// The same value declares the option to a ``Command`` and reads it from the ``Options`` that were given.
public struct Option<Value: OptionValue>: Sendable {
    /// The name without its dashes.
    public let name: String
    /// What stands for the value in the help text, in capitals.
    public let placeholder: String
    /// What the option does, in one line without a period.
    public let help: String
    /// The value when the option is not given.
    public let fallback: Value
    /// The values that make sense.
    let isAllowed: @Sendable (Value) -> Bool
    /// Those values in words, for help and errors.
    let expected: String

    /// An option with a value that stands when it is not given.
    public init(_ name: String, _ placeholder: String, default fallback: Value, _ help: String) {
        (self.name, self.placeholder, self.help, self.fallback) = (name, placeholder, help, fallback)
        (isAllowed, expected) = ({ _ in true }, Value.expected)
    }
}

extension Option where Value: Comparable {
    /// An option whose value must lie in a range.
    public init(
        _ name: String, _ placeholder: String, default fallback: Value, in range: ClosedRange<Value>,
        _ help: String
    ) {
        (self.name, self.placeholder, self.help, self.fallback) = (name, placeholder, help, fallback)
        isAllowed = { range.contains($0) }
        expected = "\(Value.expected) from \(range.lowerBound.optionText) to \(range.upperBound.optionText)"
    }
}

extension Option where Value: ExpressibleByNilLiteral {
    /// An option that need not be given: its value is an optional.
    public init(_ name: String, _ placeholder: String, _ help: String) {
        self.init(name, placeholder, default: nil, help)
    }
}

extension Option where Value == Bool {
    /// A switch: off unless given.
    public init(_ name: String, _ help: String) {
        self.init(name, "", default: false, help)
    }
}

/// What a ``Command`` needs to know of an option, whatever its value's type.
public protocol AnyOption: Sendable {
    /// The name without its dashes.
    var name: String { get }
    /// What stands for the value in the help text; empty for a switch.
    var placeholder: String { get }
    /// What the option does.
    var help: String { get }
    /// The default in words.
    var fallbackText: String? { get }
    /// Which values are expected, in words.
    var expectedText: String { get }
    /// Whether a text is such a value.
    func accepts(_ text: String) -> Bool
}

extension Option: AnyOption {
    /// The default as one would type it.
    public var fallbackText: String? {
        placeholder.isEmpty || fallback.optionText.isEmpty ? nil : fallback.optionText
    }
    /// Which values are expected.
    public var expectedText: String { expected }
    /// Whether a text is a value of this option.
    public func accepts(_ text: String) -> Bool { value(text) != nil }

    func value(_ text: String) -> Value? {
        guard let value = Value(option: text), isAllowed(value) else { return nil }
        return value
    }
}
