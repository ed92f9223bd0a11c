public import ChatCodec
public import ChatModel

/// Text.
public struct TextContent: ContentFormat, ProtoMessage {
    /// The text, at most ``maximumText`` bytes of UTF-8.
    public let text: String
    /// A text to be read at once; what is longer is a file.
    public static let maximumText = 1 << 20

    /// Wraps a text.
    public init(_ text: String) {
        self.text = text
    }

    /// The domain of this package.
    public static let domain = ContentDomain.everyday
    /// 1
    public static let tag: UInt32 = 1

    /// Decodes field 1, string `text`.
    public init(decoding bytes: Bytes) throws(WireError) {
        var text = ""
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            if field == 1 { text = try reader.string(limit: Self.maximumText) }
        }
        self.text = text
    }

    /// The size of its encoding in bytes.
    public var size: Int { ProtoSize.field(1, count: text.utf8.count) }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, text)
    }
}

/// A whole file.
public struct FileContent: ContentFormat, ProtoMessage {
    /// The name it had at its sender; a stranger chose it, so it is no path.
    public let name: String
    /// Its media type, for example `image/png`; empty if unknown.
    public let mediaType: String
    /// The content.
    public let bytes: Bytes
    /// The longest name, as file systems have it, and the longest media type, in bytes.
    public static let maximumText = 255

    /// Describes a file.
    public init(name: String, mediaType: String = "", bytes: Bytes) {
        (self.name, self.mediaType, self.bytes) = (name, mediaType, bytes)
    }

    /// The domain of this package.
    public static let domain = ContentDomain.everyday
    /// 2
    public static let tag: UInt32 = 2

    /// Decodes fields 1, string `name`, 2, string `media_type`, and 3, bytes `bytes`.
    public init(decoding bytes: Bytes) throws(WireError) {
        var (name, mediaType, content) = ("", "", Bytes())
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.string(limit: Self.maximumText)
            case 2: mediaType = try reader.string(limit: Self.maximumText)
            case 3: content = bytes.slice(try reader.range())
            default: continue
            }
        }
        self.init(name: name, mediaType: mediaType, bytes: content)
    }

    /// The size of its encoding in bytes.
    public var size: Int {
        ProtoSize.field(1, count: name.utf8.count) + ProtoSize.field(2, count: mediaType.utf8.count)
            + ProtoSize.field(3, count: bytes.count)
    }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, name)
        output.append(field: 2, mediaType)
        output.append(field: 3, bytes)
    }
}

/// The bundle of a third participant, passed on so that two others can talk.
public struct ContactContent: ContentFormat, ProtoMessage {
    /// The sender's name for them.
    public let name: String
    /// Text for a discovery, for example an introduction link.
    public let introduction: String
    /// The longest name in bytes.
    public static let maximumName = 255
    /// The longest introduction in bytes; a link of today has 197.
    public static let maximumIntroduction = 4_096

    /// Describes a contact.
    public init(name: String, introduction: String) {
        (self.name, self.introduction) = (name, introduction)
    }

    /// The domain of this package.
    public static let domain = ContentDomain.everyday
    /// 3
    public static let tag: UInt32 = 3

    /// Decodes fields 1, string `name`, and 2, string `introduction`.
    public init(decoding bytes: Bytes) throws(WireError) {
        var (name, introduction) = ("", "")
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.string(limit: Self.maximumName)
            case 2: introduction = try reader.string(limit: Self.maximumIntroduction)
            default: continue
            }
        }
        self.init(name: name, introduction: introduction)
    }

    /// The size of its encoding in bytes.
    public var size: Int {
        ProtoSize.field(1, count: name.utf8.count) + ProtoSize.field(2, count: introduction.utf8.count)
    }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, name)
        output.append(field: 2, introduction)
    }
}
