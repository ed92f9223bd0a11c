public import ChatCodec

/// A value of the protocol that is read from JSON and written as JSON.
///
/// Reading is total: a value, or the rule that was broken. What was read is written as an equal value, with the keys
/// always in the same order.
public protocol EngineValue: Hashable, Sendable {
    /// Reads a value.
    init(_ json: JSON, _ tolerance: Tolerance) throws(Violation)
    /// Writes the value.
    func write(to writer: inout JSONWriter)
}

/// A value that is a JSON object.
public protocol EngineObject: EngineValue {
    /// Reads the fields of the object.
    init(_ fields: Fields) throws(Violation)
    /// Writes the members of the object.
    func writeMembers(to writer: inout JSONWriter)
}

extension EngineObject {
    /// Reads an object.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        try self.init(try Fields(json, tolerance))
    }

    /// Writes the object.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in writeMembers(to: &writer) }
    }
}

/// One of a few words (CE-07); their case counts.
public protocol EngineWord: EngineValue, RawRepresentable, CaseIterable where RawValue == String {}

extension EngineWord {
    /// Reads a word.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        guard let text = json.text else { throw Violation(.field, "is no text") }
        guard let word = Self(rawValue: text) else {
            throw Violation(.name, "is none of \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = word
    }

    /// Writes the word.
    public func write(to writer: inout JSONWriter) { writer.text(rawValue) }
}

extension JSONWriter {
    mutating func field(_ key: StaticString, _ value: some EngineValue) {
        self.key(key)
        value.write(to: &self)
    }

    mutating func field(_ key: StaticString, _ text: String) {
        self.key(key)
        self.text(text)
    }

    mutating func field(_ key: StaticString, _ json: JSON) {
        self.key(key)
        value(json)
    }

    mutating func field(_ key: StaticString, _ number: Int) { field(key, JSON(number)) }

    mutating func field(_ key: StaticString, _ bool: Bool) { field(key, .bool(bool)) }

    mutating func field(_ key: StaticString, _ list: [some EngineValue]) {
        self.key(key)
        array { writer in for element in list { element.write(to: &writer) } }
    }

    mutating func field(_ key: StaticString, _ list: [String]) {
        self.key(key)
        array { writer in for text in list { writer.text(text) } }
    }

    // What is absent is not written.
    mutating func optional(_ key: StaticString, _ value: (some EngineValue)?) { if let value { field(key, value) } }

    mutating func optional(_ key: StaticString, _ text: String?) { if let text { field(key, text) } }

    mutating func optional(_ key: StaticString, _ json: JSON?) { if let json { field(key, json) } }

    mutating func optional(_ key: StaticString, _ number: Int?) { if let number { field(key, number) } }

    mutating func optional(_ key: StaticString, _ bool: Bool?) { if let bool { field(key, bool) } }

    mutating func optional(_ key: StaticString, _ list: [some EngineValue]?) { if let list { field(key, list) } }

    mutating func optional(_ key: StaticString, _ list: [String]?) { if let list { field(key, list) } }

    /// What is absent is null.
    mutating func nullable(_ key: StaticString, _ value: (some EngineValue)?) {
        if let value { field(key, value) } else { field(key, JSON.null) }
    }
}
