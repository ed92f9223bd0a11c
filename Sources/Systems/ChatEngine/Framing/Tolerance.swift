/// What a decoder lets pass of what the published schemas refuse.
public struct Tolerance: OptionSet, Hashable, Sendable {
    /// The options as bits.
    public let rawValue: UInt8

    /// Options from their bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Nothing: every object is closed, chunks are `{type, content}`, ids are GTS ids.
    public static let strict: Tolerance = []
    /// Unknown fields are dropped (CE-05).
    public static let lenient = Tolerance(rawValue: 1)
    /// A chunk may have the form of a content part (CE-12).
    public static let interop = Tolerance(rawValue: 2)
    /// An id may be a bare UUID (CE-06).
    public static let uuidIds = Tolerance(rawValue: 4)
}
