extension EngineCapability {
    /// The capabilities that a request enables, as the backend gets them (CE-27): each once, in the request's order;
    /// those that are on by default where it names none.
    public static func enabled(
        _ ids: [String]?, of available: [EngineCapability]
    ) throws(ErrorBody) -> [EngineCapability] {
        guard let ids else { return available.filter(\.isDefault) }
        var enabled: [EngineCapability] = []
        for (index, id) in ids.enumerated() {
            guard let capability = available.first(where: { $0.id == id && $0.id.utf8.elementsEqual(id.utf8) }) else {
                let place = "enabled_capabilities[\(index)]"
                throw ErrorBody(Violation(.enabled, "is no capability of the session", at: place))
            }
            if !enabled.contains(capability) { enabled.append(capability) }
        }
        return enabled
    }
}
