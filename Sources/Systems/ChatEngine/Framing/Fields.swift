public import ChatCodec

/// Reads the fields of one object.
public struct Fields: Sendable {
    private let members: [JSON.Member]
    /// What is let pass.
    public let tolerance: Tolerance

    /// The fields of an object.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        guard let members = json.members else { throw Violation(.field, "is no object") }
        (self.members, self.tolerance) = (members, tolerance)
    }

    /// Refuses all keys but these (CE-05); a lenient decoder lets them go.
    func allow(_ keys: String...) throws(Violation) {
        guard !tolerance.contains(.lenient) else { return }
        for member in members where !keys.contains(where: { ExactText.isSame($0, member.key) }) {
            throw Violation(.unknownField, "is not known here", at: String(member.key.prefix(64)))
        }
    }

    /// The value of a key, if it is there.
    func value(_ key: String) -> JSON? {
        for member in members where ExactText.isSame(member.key, key) { return member.value }
        return nil
    }

    /// Whether one of these keys is there.
    func hasAny(of keys: [String]) -> Bool { keys.contains { value($0) != nil } }

    /// The value of a key that must be there.
    func required(_ key: String, _ rule: Rule = .field) throws(Violation) -> JSON {
        guard let value = value(key) else { throw Violation(rule, "is missing", at: key) }
        return value
    }

    /// A value of the protocol.
    func get<Value: EngineValue>(_ key: String, _ tolerance: Tolerance? = nil) throws(Violation) -> Value {
        let json = try required(key)
        do { return try Value(json, tolerance ?? self.tolerance) } catch { throw error.within(key) }
    }

    /// A value that may be absent, but not null.
    func optional<Value: EngineValue>(_ key: String) throws(Violation) -> Value? {
        guard value(key) != nil else { return nil }
        return try get(key)
    }

    /// A value that may be absent or null.
    func nullable<Value: EngineValue>(_ key: String, _ tolerance: Tolerance? = nil) throws(Violation) -> Value? {
        guard let json = value(key), json != .null else { return nil }
        return try get(key, tolerance)
    }

    /// A list of values.
    func list<Value: EngineValue>(_ key: String) throws(Violation) -> [Value] {
        guard let list = try required(key).list else { throw Violation(.field, "is no list", at: key) }
        var values: [Value] = []
        values.reserveCapacity(list.count)
        for (index, json) in list.enumerated() {
            do { values.append(try Value(json, tolerance)) } catch { throw error.within("[\(index)]").within(key) }
        }
        return values
    }

    func optionalList<Value: EngineValue>(_ key: String) throws(Violation) -> [Value]? {
        guard value(key) != nil else { return nil }
        return try list(key)
    }

    func optionalTexts(_ key: String) throws(Violation) -> [String]? {
        guard let value = value(key) else { return nil }
        guard let list = value.list else { throw Violation(.field, "is no list", at: key) }
        var texts: [String] = []
        for (index, json) in list.enumerated() {
            guard let text = json.text else { throw Violation(.field, "is no text", at: "\(key)[\(index)]") }
            texts.append(text)
        }
        return texts
    }

    /// A text of any length, the empty one included.
    func text(_ key: String) throws(Violation) -> String {
        guard let text = try required(key).text else { throw Violation(.field, "is no text", at: key) }
        return text
    }

    /// A text that is not empty.
    func fullText(_ key: String, _ rule: Rule = .field) throws(Violation) -> String {
        let text = try text(key)
        guard !text.isEmpty else { throw Violation(rule, "is empty", at: key) }
        return text
    }

    func optionalText(_ key: String) throws(Violation) -> String? { value(key) == nil ? nil : try text(key) }

    func optionalFullText(_ key: String) throws(Violation) -> String? { value(key) == nil ? nil : try fullText(key) }

    /// A URL of `http` or `https` with a host, and with a port up to 65,535 if it has one.
    func url(_ key: String) throws(Violation) -> String {
        let text = try text(key)
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else {
            throw Violation(.field, "is no URL of http or https", at: key)
        }
        let authority = text.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        let place = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        // Colons within brackets belong to an IPv6 address.
        let rest = place.hasPrefix("[") ? place.drop { $0 != "]" }.dropFirst() : place.drop { $0 != ":" }
        guard place.count > rest.count else { throw Violation(.field, "is a URL without a host", at: key) }
        let port = rest.dropFirst()
        let isPort = port.allSatisfy { "0"..."9" ~= $0 } && (port.isEmpty || UInt16(port) != nil)
        guard rest.isEmpty || rest.hasPrefix(":") && isPort else {
            throw Violation(.field, "is a URL without a port from 0 to 65535", at: key)
        }
        return text
    }

    func bool(_ key: String) throws(Violation) -> Bool {
        guard let bool = try required(key).bool else { throw Violation(.field, "is neither true nor false", at: key) }
        return bool
    }

    func optionalBool(_ key: String) throws(Violation) -> Bool? { value(key) == nil ? nil : try bool(key) }

    /// A field that has to say true.
    func isTrue(_ key: String) throws(Violation) {
        guard try required(key, .fixed).bool == true else { throw Violation(.fixed, "is not true", at: key) }
    }

    /// A whole number within bounds, whatever its spelling: `1`, `1.0` and `1e0` are the same.
    func count(_ key: String, _ bounds: ClosedRange<Int>, _ rule: Rule = .field) throws(Violation) -> Int {
        let json = try required(key, rule)
        guard let number = json.int ?? json.double.flatMap({ Int(exactly: $0) }), bounds.contains(number) else {
            throw Violation(rule, "is no whole number from \(bounds.lowerBound) to \(bounds.upperBound)", at: key)
        }
        return number
    }

    func optionalCount(_ key: String, _ bounds: ClosedRange<Int>, _ rule: Rule = .field) throws(Violation) -> Int? {
        value(key) == nil ? nil : try count(key, bounds, rule)
    }

    /// The largest count: what every implementation of JSON keeps exactly.
    static let counts = 0...9_007_199_254_740_991

    /// An object whose members are nobody's business here.
    func optionalObject(_ key: String) throws(Violation) -> JSON? {
        guard let value = value(key) else { return nil }
        guard value.members != nil else { throw Violation(.field, "is no object", at: key) }
        return value
    }

    /// At most ten ids of files, each once (CE-10).
    func files(_ key: String = "file_ids", isRequest: Bool = false) throws(Violation) -> [UUIDText]? {
        guard let json = value(key) else { return nil }
        guard json.list != nil else { throw Violation(.field, "is no list", at: key) }
        let files: [UUIDText]
        do { files = try list(key) } catch { throw error.under(.files) }
        guard isRequest else { return files }
        guard files.count <= 10 else { throw Violation(.files, "has more than 10 files", at: key) }
        guard Set(files).count == files.count else { throw Violation(.files, "has a file twice", at: key) }
        return files
    }
}
