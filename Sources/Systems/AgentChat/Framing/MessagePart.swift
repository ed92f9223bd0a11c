public import ChatCodec

/// One part of a message: nine forms, and what a later version may add.
public enum MessagePart: Hashable, Sendable {
    /// Text.
    case text(TextPart)
    /// What the model thought.
    case reasoning(TextPart)
    /// A source on the web.
    case sourceURL(SourceURLPart)
    /// A source that is a document.
    case sourceDocument(SourceDocumentPart)
    /// A file, hosted or in the URL itself.
    case file(FilePart)
    /// The boundary between two steps of the model.
    case stepStart
    /// Data of the application, under a name.
    case data(DataPart)
    /// A call of a tool.
    case tool(ToolPart)
    /// A part of a type that this version does not know; kept as it is (AC-09, conformant mode only).
    case opaque(JSON)
}

/// The parts of text and reasoning.
public struct TextPart: Hashable, Sendable {
    /// Whether more is to come.
    public enum State: String, Hashable, Sendable {
        /// More may follow.
        case streaming
        /// Nothing is appended any more.
        case done
    }

    /// The text; may be empty.
    public var text: String
    /// Whether more is to come, where the part says so.
    public var state: State?
    /// An object of objects: what providers add, by provider.
    public var providerMetadata: JSON?

    /// A text.
    public init(_ text: String, state: State? = nil, providerMetadata: JSON? = nil) {
        (self.text, self.state, self.providerMetadata) = (text, state, providerMetadata)
    }
}

/// A source on the web.
public struct SourceURLPart: Hashable, Sendable {
    /// The source's id.
    public var sourceID: Identifier
    /// Where it is.
    public var url: String
    /// Its title.
    public var title: String?
    /// What providers add.
    public var providerMetadata: JSON?

    /// A source.
    public init(sourceID: Identifier, url: String, title: String? = nil, providerMetadata: JSON? = nil) {
        (self.sourceID, self.url, self.title, self.providerMetadata) = (sourceID, url, title, providerMetadata)
    }
}

/// A source that is a document.
public struct SourceDocumentPart: Hashable, Sendable {
    /// The source's id.
    public var sourceID: Identifier
    /// Its media type.
    public var mediaType: String
    /// Its title.
    public var title: String
    /// The name of its file.
    public var filename: String?
    /// What providers add.
    public var providerMetadata: JSON?

    /// A source.
    public init(
        sourceID: Identifier, mediaType: String, title: String, filename: String? = nil, providerMetadata: JSON? = nil
    ) {
        (self.sourceID, self.mediaType, self.title) = (sourceID, mediaType, title)
        (self.filename, self.providerMetadata) = (filename, providerMetadata)
    }
}

/// A file.
public struct FilePart: Hashable, Sendable {
    /// The schemes under which a file may be fetched or shown; any other is only text (AC-13).
    public static let fetchableSchemes: Set<String> = ["https", "http", "data", "blob"]

    /// Its media type.
    public var mediaType: String
    /// Where it is, or the file itself (`data:`).
    public var url: String
    /// Its name.
    public var filename: String?
    /// What providers add.
    public var providerMetadata: JSON?

    /// A file.
    public init(mediaType: String, url: String, filename: String? = nil, providerMetadata: JSON? = nil) {
        (self.mediaType, self.url, self.filename) = (mediaType, url, filename)
        self.providerMetadata = providerMetadata
    }

    /// Whether the URL may be fetched or shown.
    public var isFetchable: Bool {
        guard let colon = url.firstIndex(of: ":") else { return false }
        return Self.fetchableSchemes.contains(url[..<colon].lowercased())
    }
}

/// Data of the application.
public struct DataPart: Hashable, Sendable {
    /// The name: the type without `data-`.
    public var name: String
    /// Which data it replaces when it comes again; any text, also an empty one.
    public var id: String?
    /// Any JSON.
    public var data: JSON

    /// Data under a name.
    public init(name: String, id: String? = nil, data: JSON) {
        (self.name, self.id, self.data) = (name, id, data)
    }
}
