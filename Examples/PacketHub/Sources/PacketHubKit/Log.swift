package import ChatCodec
import Foundation

/// The log: one JSON object a line, on standard error or wherever a sink puts it. Contents and tokens stay out.
package struct Log: Sendable {
    private let sink: @Sendable (String) -> Void

    package init(_ sink: @escaping @Sendable (String) -> Void) { self.sink = sink }

    package static let standardError = Log { FileHandle.standardError.write(Data(($0 + "\n").utf8)) }

    /// Writes a line: when, what, and what belongs to it.
    package func callAsFunction(_ event: String, _ fields: [(String, JSON)] = []) {
        let pairs: [(key: String, value: JSON)] =
            [("time", .string(Date.now.formatted(.iso8601))), ("event", .string(event))]
            + fields.map { (key: $0.0, value: $0.1) }
        sink(JSON.object(JSON.Object(pairs: pairs)).description)
    }
}
