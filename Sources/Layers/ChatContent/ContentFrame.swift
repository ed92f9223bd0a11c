public import ChatCodec
public import ChatModel

/// Content that says what it is: `ContentFrame` of CONTENTFRAME.
///
/// A domain, by its number in a registry, defines types, by their tags; the same two numbers mean the same
/// type for ever (CF-04). Conversations do not look at it: it is content to them (CT-14).
public struct ContentFrame: ProtoMessage {
    /// Field 1, `domain_id`: positive (CF-03).
    public let domain: UInt32
    /// Field 2, `tag`: positive (CF-04).
    public let tag: UInt32
    /// Field 3, `payload`: what the type defines; may be empty.
    public let payload: Bytes

    /// Makes a frame, or nil where a number is not positive.
    public init?(domain: UInt32, tag: UInt32, payload: Bytes) {
        guard domain > 0, tag > 0 else { return nil }
        (self.domain, self.tag, self.payload) = (domain, tag, payload)
    }

    /// The frame of a value of a known type.
    public init(_ value: some ContentFormat) {
        (domain, tag, payload) = (type(of: value).domain.id, type(of: value).tag, value.payload)
    }

    /// Decodes a frame; an absent number is 0 and invalid (CF-05), an absent payload is an empty one.
    public init(decoding bytes: Bytes) throws(WireError) {
        var (domain, tag) = (UInt32(0), UInt32(0))
        var payload = Bytes()
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: domain = try reader.uint32()
            case 2: tag = try reader.uint32()
            case 3: payload = bytes.slice(try reader.range())
            default: continue
            }
        }
        guard domain > 0 else { throw .missing("domain_id") }
        guard tag > 0 else { throw .missing("tag") }
        (self.domain, self.tag, self.payload) = (domain, tag, payload)
    }

    /// The size of its encoding in bytes.
    public var size: Int {
        ProtoSize.field(1, UInt64(domain)) + ProtoSize.field(2, UInt64(tag)) + ProtoSize.field(3, count: payload.count)
    }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, UInt64(domain))
        output.append(field: 2, UInt64(tag))
        output.append(field: 3, payload)
    }
}

/// Who defines types of content, and where the definitions stand.
public struct ContentDomain: Hashable, Sendable {
    /// Its number in the registry, positive (CF-03).
    public let id: UInt32
    /// A URL that has or lists the definitions of all its types (CF-01).
    public let url: String

    /// A domain as the registry has it.
    public init(id: UInt32, url: String) {
        (self.id, self.url) = (id, url)
    }

    /// The first entry of the public registry (CF-06).
    public static let logos = ContentDomain(id: 1, url: "https://github.com/logos-co/logos-lips")
    /// The types of this package, defined in `Specs/content-frames.md`; not in the public registry.
    public static let everyday = ContentDomain(
        id: 0x63_68_61_74, url: "https://chat-framework.example/Specs/content-frames.md")
}

/// A type of content. For implementers: `init(payload:)` sees hostile bytes.
public protocol ContentFormat: Hashable, Sendable {
    /// Who defined it.
    static var domain: ContentDomain { get }
    /// Its tag there; it never changes its meaning (CF-04).
    static var tag: UInt32 { get }

    /// Decodes a payload.
    init(payload: Bytes) throws(WireError)

    /// The encoded value.
    var payload: Bytes { get }
}

extension ContentFormat where Self: ProtoMessage {
    /// Decodes a payload that is a message.
    public init(payload: Bytes) throws(WireError) { try self.init(decoding: payload) }

    /// The encoded message.
    public var payload: Bytes { encoded() }
}
