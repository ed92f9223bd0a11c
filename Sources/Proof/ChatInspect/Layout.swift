/// The fields of a proto3 message, as a document names them.
struct Layout: Sendable {
    let name: String
    let section: Section
    let fields: [Int: Field]
    /// The kind that it is by itself; nil for a message that is only ever part of another.
    var kind: ChatInspect.Kind?

    struct Field: Sendable {
        let name: String
        let type: Kind
        let meaning: String
        let requirement: String

        init(_ name: String, _ type: Kind, _ meaning: String = "", _ requirement: String = "") {
            (self.name, self.type, self.meaning, self.requirement) = (name, type, meaning, requirement)
        }
    }

    enum Kind: Sendable {
        /// A varint that is shown as a number, a time or a truth value.
        case number, time, flag
        /// UTF-8 of at most so many bytes.
        case text(limit: Int)
        /// A hint: text, unless it is longer than any route.
        case hint
        /// Bytes; the second has one size only.
        case bytes
        case exactly(Int)
        /// A message inside.
        indirect case message(Layout)
        /// Bytes that the inspector looks into.
        case inner(ChatInspect.Kind)
        /// Content of an application.
        case content
    }

    init(_ name: String, _ section: Section, _ fields: [Int: Field]) {
        (self.name, self.section, self.fields) = (name, section, fields)
    }

    init(_ kind: ChatInspect.Kind, _ fields: [Int: Field]) {
        self.init(kind.title, kind.section, fields)
        self.kind = kind
    }
}

/// What a layout says of one message: for checks against the documents.
package struct LayoutDescription: Hashable, Sendable {
    /// The message's name, and the file of `Specs/` that defines it.
    package let message, document: String
    /// The names of the fields by their numbers.
    package let fields: [Int: String]
}

extension ChatInspect.Kind {
    /// The proto3 messages of this kind: the message itself and those inside; none for what is no proto3 message.
    package var messages: [LayoutDescription] { Layout.of(self)?.descriptions ?? [] }
}

extension Layout {
    fileprivate var descriptions: [LayoutDescription] {
        let own = LayoutDescription(message: name, document: section.document, fields: fields.mapValues(\.name))
        return [own]
            + fields.values.flatMap { field in
                if case .message(let inner) = field.type { inner.descriptions } else { [] as [LayoutDescription] }
            }
    }
}
