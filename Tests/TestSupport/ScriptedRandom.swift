public import ChatModel
import Testing

/// Randomness from a script: the values of a vector, by label, in order.
///
/// A draw for which the script has no value of that length is an issue of the test and gives zeros.
public final class ScriptedRandom: RandomSource {
    private let script: Lock<[RandomLabel: [[UInt8]]]>

    /// A script of values; those of one label are drawn in the order given.
    public init(_ values: [(RandomLabel, [UInt8])]) {
        script = Lock(Dictionary(grouping: values, by: \.0).mapValues { $0.map(\.1) })
    }

    /// Adds a value behind those that are left.
    public func add(_ label: RandomLabel, _ value: [UInt8]) {
        script.withLock { $0[label, default: []].append(value) }
    }

    /// The labels of values that nobody drew; empty once a step drew exactly what its vector says.
    public var undrawn: [RandomLabel] {
        script.withLock { script in script.flatMap { label, values in values.map { _ in label } } }
    }

    /// Takes the next value of a label.
    public func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        let next = script.withLock { script -> [UInt8]? in
            guard let value = script[label]?.first else { return nil }
            script[label]?.removeFirst()
            return value
        }
        guard let next, next.count == bytes.count else {
            let found = next.map { "one of \($0.count)" } ?? "none"
            Issue.record("the script has no value of \(bytes.count) bytes left for \(label.rawValue), but \(found)")
            return
        }
        for index in next.indices { bytes[index] = next[index] }
    }
}
