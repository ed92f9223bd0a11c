import ChatCodec

/// How much of what is foreign a decoder lets pass.
public enum Mode: String, Hashable, Sendable, CaseIterable {
    /// Every rule holds.
    case strict
    /// As the reference implementation's schemas behave: unknown keys are dropped (AC-05, AC-19), parts of unknown
    /// types are kept (AC-09). Every other rule holds.
    case conformant
}

/// Reads the fields of one object.
struct Fields {
    private let members: [JSON.Member]
    let mode: Mode

    init(_ json: JSON, _ mode: Mode, else rule: Rule = .field) throws(Violation) {
        guard let members = json.members else { throw Violation(rule, "is no object") }
        (self.members, self.mode) = (members, mode)
    }

    /// The value of a key. Keys of the protocol are ASCII without `K`, `;` and `` ` ``, so no other spelling of a
    /// text equals one of them.
    func value(_ key: String) -> JSON? {
        for member in members where member.key == key { return member.value }
        return nil
    }

    /// The value of a key that must be there.
    func required(_ key: String, _ rule: Rule = .field) throws(Violation) -> JSON {
        guard let value = value(key) else { throw Violation(rule, "is missing", at: ".\(key)") }
        return value
    }

    func text(_ key: String, _ rule: Rule = .field) throws(Violation) -> String {
        guard case .string(let text) = try required(key, rule) else {
            throw Violation(rule, "is no text", at: ".\(key)")
        }
        return text
    }

    func optionalText(_ key: String) throws(Violation) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else { throw Violation(.field, "is no text", at: ".\(key)") }
        return text
    }

    func id(_ key: String, missing rule: Rule = .field) throws(Violation) -> Identifier {
        try Self.id(try text(key, rule), key)
    }

    func optionalID(_ key: String) throws(Violation) -> Identifier? {
        guard let text = try optionalText(key) else { return nil }
        return try Self.id(text, key)
    }

    func optionalBool(_ key: String) throws(Violation) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let bool) = value else { throw Violation(.field, "is neither true nor false", at: ".\(key)") }
        return bool
    }

    func list(_ key: String, _ rule: Rule = .field) throws(Violation) -> [JSON] {
        guard case .array(let list) = try required(key, rule) else {
            throw Violation(rule, "is no list", at: ".\(key)")
        }
        return list
    }

    /// The elements of a list, each read by a body that does not say where it is.
    func list<Element>(
        _ key: String, missing: Rule? = nil, _ rule: Rule = .field, _ body: (JSON) throws(Violation) -> Element
    ) throws(Violation) -> [Element] {
        guard case .array(let list) = try required(key, missing ?? rule) else {
            throw Violation(rule, "is no list", at: ".\(key)")
        }
        var elements: [Element] = []
        elements.reserveCapacity(list.count)
        for (index, json) in list.enumerated() {
            do { elements.append(try body(json)) } catch { throw error.within(".\(key)[\(index)]") }
        }
        return elements
    }

    /// An object of objects, which providers fill.
    func metadata(_ key: String) throws(Violation) -> JSON? {
        guard let value = value(key) else { return nil }
        guard let members = value.members, members.allSatisfy({ $0.value.members != nil }) else {
            throw Violation(.field, "is no object of objects", at: ".\(key)")
        }
        return value
    }

    /// A whole number of 64 bits, whatever its spelling.
    func optionalNumber(_ key: String) throws(Violation) -> UInt64? {
        guard let value = value(key) else { return nil }
        if let number = value.uint64 { return number }
        if case .number(let double) = value, let number = UInt64(exactly: double) { return number }
        throw Violation(.field, "is no whole number from 0 to 2^64 - 1", at: ".\(key)")
    }

    /// Refuses all keys but these (AC-05); the conformant mode lets them go.
    func allow(_ keys: [String]) throws(Violation) {
        guard mode == .strict else { return }
        for member in members where !keys.contains(member.key) {
            throw Violation(.unknownKey, "is not known here", at: ".\(member.key.prefix(64))")
        }
    }

    static func id(_ text: String, _ key: String) throws(Violation) -> Identifier {
        guard let id = Identifier(checking: text) else {
            throw Violation(.identifier, "is empty, too long, or has control characters", at: ".\(key)")
        }
        return id
    }
}
