public import ChatCodec

/// Something that a session can do or leave; the engine stores it and gives it on, and never interprets it.
public struct EngineCapability: EngineObject {
    /// The id that clients name.
    public var id: String
    /// The name for people.
    public var name: String
    /// What it is.
    public var summary: String?
    /// Whether it is on where a client names none.
    public var isDefault: Bool

    /// Makes it.
    public init(id: String, name: String, summary: String? = nil, isDefault: Bool) {
        (self.id, self.name, self.summary, self.isDefault) = (id, name, summary, isDefault)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("id", "name", "description", "enabled_by_default")
        id = try fields.fullText("id")
        name = try fields.fullText("name")
        summary = try fields.optionalText("description")
        isDefault = try fields.bool("enabled_by_default")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("id", id)
        writer.field("name", name)
        writer.optional("description", summary)
        writer.field("enabled_by_default", isDefault)
    }
}

/// Which of several variants a message is: those of one role under one parent (CE-17).
public struct VariantInfo: EngineObject {
    /// The place in order of creation, from 0; there may be gaps.
    public var index: Int
    /// How many there are.
    public var total: Int
    /// The UUID of the parent, as the published schema has it.
    public var parent: UUIDText?

    /// Makes it.
    public init(index: Int, total: Int, parent: UUIDText? = nil) {
        (self.index, self.total, self.parent) = (index, total, parent)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("variant_index", "total_variants", "parent_message_id")
        index = try fields.count("variant_index", Fields.counts, .variant)
        total = try fields.count("total_variants", 1...Fields.counts.upperBound, .variant)
        parent = try fields.nullable("parent_message_id")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("variant_index", index)
        writer.field("total_variants", total)
        writer.optional("parent_message_id", parent)
    }
}

/// What was wrong with one field.
public struct FieldError: EngineObject {
    /// The path of the field.
    public var field: String
    /// What was wrong, for people.
    public var message: String
    /// The rule, for programs.
    public var code: String?

    /// Makes it.
    public init(field: String, message: String, code: String? = nil) {
        (self.field, self.message, self.code) = (field, message, code)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("field", "message", "code")
        field = try fields.text("field")
        message = try fields.text("message")
        code = try fields.optionalText("code")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("field", field)
        writer.field("message", message)
        writer.optional("code", code)
    }
}
