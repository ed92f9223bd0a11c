public import ChatCodec
import Foundation

/// The log: one JSON object a line, to standard error or to whoever gives a sink.
public struct Log: Sendable {
    private let sink: @Sendable (String) -> Void

    /// A log whose lines go elsewhere.
    public init(_ sink: @escaping @Sendable (String) -> Void) { self.sink = sink }

    /// Standard error.
    public static let standardError = Log { FileHandle.standardError.write(Data(($0 + "\n").utf8)) }

    /// Writes a line: when, what, and what belongs to it. Texts of people and tokens stay out.
    public func callAsFunction(_ event: String, _ fields: [(String, JSON)] = []) {
        let pairs: [(key: String, value: JSON)] =
            [("time", .string(Date.now.formatted(.iso8601))), ("event", .string(event))]
            + fields.map { (key: $0.0, value: $0.1) }
        sink(JSON.object(JSON.Object(pairs: pairs)).description)
    }
}
