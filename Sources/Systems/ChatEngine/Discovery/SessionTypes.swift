import ChatCodec

/// The session types of an engine: which counterparts there are (section 9 of `Specs/chat-engine.md`, CE-G05).
public struct SessionTypes: Hashable, Sendable {
    /// The types in the operator's order.
    public let all: [SessionType]
    private let places: [SessionTypeID: Int]

    /// Types with ids that differ.
    public init(_ types: [SessionType]) throws(Violation) {
        var places: [SessionTypeID: Int] = [:]
        for (index, type) in types.enumerated() {
            let place = "session_types[\(index)].session_type_id"
            guard SessionTypeID(type.id.text) != nil else {
                throw Violation(.identifier, "is no id of a session type", at: place)
            }
            guard places.updateValue(index, forKey: type.id) == nil else {
                throw Violation(.identifier, "is there twice", at: place)
            }
        }
        (all, self.places) = (types, places)
    }

    /// One type.
    init(one type: SessionType) {
        (all, places) = ([type], [type.id: 0])
    }

    /// Types as an operator writes them: `{"session_types": […]}`, closed, and so are the settings of summaries.
    public init(parsing bytes: Span<UInt8>) throws(Violation) {
        let fields = try Fields(try EngineJSON.parse(bytes, EngineJSON.maximumBody), .strict)
        try fields.allow("session_types")
        let types: [SessionType] = try fields.list("session_types")
        for (index, type) in types.enumerated() {
            guard let settings = type.summarization else { continue }
            let place = "session_types[\(index)].summarization_settings"
            do throws(Violation) {
                try Fields(.object(settings.json), .strict).allow(
                    "enabled", "service_url", "max_length", "focus", "include_timestamps")
            } catch { throw error.within(place) }
        }
        try self.init(types)
    }

    /// A type.
    public subscript(id: SessionTypeID) -> SessionType? { places[id].map { all[$0] } }

    /// What clients learn: never where a backend is.
    public var forClients: SessionTypeList { SessionTypeList(sessionTypes: all.map(\.forClients)) }

    /// A type that a request names; an unknown one is a mistake of the request (CE-24, CE-G23).
    func named(_ id: SessionTypeID, in field: String) throws(ErrorBody) -> SessionType {
        guard let type = self[id] else {
            throw ErrorBody(Violation(.existence, "is no session type of this engine", at: field))
        }
        return type
    }
}
