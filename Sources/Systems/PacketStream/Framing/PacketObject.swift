public import ChatCodec

/// A JSON object: all that payload and inputs can be (decision D1, SA-10).
///
/// Two are equal if they mean the same, whatever the order of their keys and the spelling of their numbers.
public struct PacketObject: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// The deepest nesting of an object, itself included: what the protobuf library of the reference reads.
    public static let maximumDepth = 32

    /// The members.
    public let object: JSON.Object

    /// An object.
    public init(_ object: JSON.Object) {
        self.object = object
    }

    /// An object of a value that must be one (SA-10).
    public init(_ json: JSON, at place: String = ".payload") throws(PacketViolation) {
        guard case .object(let object) = json else { throw PacketViolation(.objectsOnly, "is no object", at: place) }
        self.object = object
    }

    /// An object of a literal.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        var object = JSON.Object()
        for (key, value) in elements { object[key] = value }
        self.object = object
    }

    /// The object as a value.
    public var json: JSON { .object(object) }

    /// The value of a key.
    public subscript(key: String) -> JSON? { object[key] }

    /// Compares what the objects mean.
    public static func == (left: Self, right: Self) -> Bool { left.json.isSameValue(as: right.json) }

    /// Hashes the number of members, which every spelling of one object has.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(object.members.count)
    }
}
