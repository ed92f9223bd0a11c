/// What was given on a command line; every value has been checked.
public struct Options: Sendable {
    /// Arguments that are no options, in order.
    public internal(set) var operands: [String] = []
    var given: [String: [String]] = [:]

    /// The last value given, or the option's default.
    public subscript<Value>(option: Option<Value>) -> Value {
        all(option).last ?? option.fallback
    }

    /// Every value given for an option that may be repeated; empty if there is none.
    public func all<Value>(_ option: Option<Value>) -> [Value] {
        given[option.name, default: []].compactMap(option.value)
    }
}

/// What was wrong with a command line.
public enum OptionError: Error, Equatable, CustomStringConvertible {
    /// No option has this name; perhaps another one was meant.
    case unknown(String, nearest: String? = nil)
    /// The option needs a value and there is none.
    case missingValue(String, expected: String)
    /// The value is not one of this option.
    case badValue(String, value: String, expected: String)
    /// A switch was given a value.
    case unexpectedValue(String, value: String)
    /// More arguments than the command has operands.
    case unexpectedOperand(String)
    /// Fewer arguments than the command needs.
    case missingOperand(String)

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .unknown(let name, let nearest):
            "there is no option \(name)\(nearest.map { "; \($0) perhaps?" } ?? "")"
        case .missingValue(let name, let expected): "--\(name) needs a value: \(expected)"
        case .badValue(let name, let value, let expected): "--\(name): '\(value)' is not \(expected)"
        case .unexpectedValue(let name, let value): "--\(name) takes no value, and '\(value)' was given"
        case .unexpectedOperand(let text): "unexpected argument '\(text)'"
        case .missingOperand(let name): "\(name) is missing"
        }
    }
}
