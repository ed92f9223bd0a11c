public import ChatModel

/// The session types of engines and where each engine is, in memory: for tests, and for engines of one process.
public final class EngineCatalog: Sendable {
    /// The most entries.
    public static let maximumEntries = 10_000

    private let entries = Lock<[(type: SessionTypeSummary, bundles: [IntroductionBundle])]>([])

    /// A catalog without entries.
    public init() {}

    /// What clients learn (CE-G05).
    public var list: SessionTypeList {
        SessionTypeList(sessionTypes: entries.withLock { $0.map(\.type) })
    }

    /// Enters a session type; the same id again replaces it.
    func enter(_ type: SessionTypeSummary, _ bundles: [IntroductionBundle]) throws(DiscoveryError) {
        try entries.withLock { entries throws(DiscoveryError) in
            entries.removeAll { $0.type.id == type.id }
            guard entries.count < Self.maximumEntries else {
                throw .tooLarge("the catalog", count: entries.count + 1, limit: Self.maximumEntries)
            }
            entries.append((type, bundles))
        }
    }

    /// The entries with an id or a name.
    func find(_ text: String) -> [(type: SessionTypeSummary, bundles: [IntroductionBundle])] {
        entries.withLock { $0.filter { $0.type.id.text == text || $0.type.name == text } }
    }
}

/// The discovery `engine-types`: what is found are session types, by id or name; the other side is always an engine.
public struct EngineTypes: DiscoveryProtocol {
    private let catalog: EngineCatalog

    /// The session types of a catalog.
    public init(_ catalog: EngineCatalog) {
        self.catalog = catalog
    }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: "engine-types", summary: "The session types of an engine, by id or name.",
            claims: [
                Claim(.authentication, "CE-44", holds: false, "the catalog is believed"),
                Claim(.confidentiality, "CE-44", holds: false, "the catalog knows who asks"),
            ])
    }

    /// Enters an engine under a name: an id of a session type, or a name from which one is made. The texts are the ids.
    public func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        guard !name.isEmpty else { throw .unsupported("a session type without a name") }
        let id = SessionTypeID(name) ?? Self.id(of: name)
        try catalog.enter(SessionTypeSummary(id: id, name: name), bundles)
        return bundles.map { _ in id.text }
    }

    /// Finds a session type by its id or its name.
    public func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        let found = catalog.find(text).map { Introduction(name: $0.type.name, bundles: $0.bundles) }
        guard !found.isEmpty else { throw .notFound(text) }
        return Introductions(found)
    }

    /// The id whose name is a text in lower case, with `_` for everything but letters and digits of ASCII.
    static func id(of name: String) -> SessionTypeID {
        let word = name.lowercased().unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                ? Character(scalar) : "_"
        }
        return SessionTypeID(unchecked: "gts.hyperspot.chat_engine.session_types.\(String(word.prefix(64))).v1~")
    }
}
