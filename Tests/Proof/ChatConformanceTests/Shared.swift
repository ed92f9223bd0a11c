import ChatModel

/// A value that copies share, which is what a machine must never have.
final class Shared<Value: Sendable>: Sendable {
    private let value: Lock<Value>

    init(_ value: Value) {
        self.value = Lock(value)
    }

    func with<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        value.withLock { value in body(&value) }
    }
}

/// A defect, named by the check that must find it and, where there are several, what it is about.
protocol BreaksCheck: RawRepresentable<String> {}

extension BreaksCheck {
    /// The id of the check.
    var check: String { String(rawValue.prefix { $0 != " " }) }
}
