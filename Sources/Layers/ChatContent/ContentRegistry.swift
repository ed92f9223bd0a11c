public import ChatCodec
public import ChatModel

/// The domains and types of content that an application knows.
public struct ContentRegistry: Sendable {
    /// A decoded content.
    public enum Decoded: Sendable {
        /// A value of a type that is known.
        case known(any ContentFormat)
        /// A frame of an unknown type: show the domain's address, where a person can look it up (CF-08).
        ///
        /// The address is nil where the domain is unknown too.
        case unsupported(ContentFrame, address: String?)
    }

    /// Names one type.
    private struct Key: Hashable {
        let domain, tag: UInt32
    }

    private var domains: [UInt32: ContentDomain] = [:]
    private var formats: [Key: any ContentFormat.Type] = [:]

    /// A registry of types and of domains, the domains of the types included; ``ContentDomain/logos`` is always in it.
    ///
    /// Of two domains with one number, or two types with one tag, the first counts.
    public init(_ formats: [any ContentFormat.Type], domains: [ContentDomain] = []) {
        for domain in [.logos] + domains + formats.map({ $0.domain }) where self.domains[domain.id] == nil {
            self.domains[domain.id] = domain
        }
        for format in formats {
            let key = Key(domain: format.domain.id, tag: format.tag)
            if self.formats[key] == nil { self.formats[key] = format }
        }
    }

    /// The types of this package.
    public static let everyday = ContentRegistry([TextContent.self, FileContent.self, ContactContent.self])

    /// The domain of a number, if it is known.
    public subscript(domain id: UInt32) -> ContentDomain? { domains[id] }

    /// Finds out what content is; only what does not decode is an error.
    public func decode(_ content: Content) throws(WireError) -> Decoded {
        let frame = try ContentFrame(decoding: content)
        guard let format = formats[Key(domain: frame.domain, tag: frame.tag)] else {
            return .unsupported(frame, address: domains[frame.domain]?.url)
        }
        return .known(try format.init(payload: frame.payload))
    }

    /// The content of a value, behind head room for the layers below.
    public static func encode(_ value: some ContentFormat, headRoom: Int = 0) -> Content {
        ContentFrame(value).encoded(headRoom: headRoom)
    }
}
