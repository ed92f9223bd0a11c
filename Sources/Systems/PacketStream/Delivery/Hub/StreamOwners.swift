import ChatCodec

/// Which step numbers a stream: two that did so under one name would be taken for one by who receives both (PS-14).
struct StreamOwners: Sendable {
    private static let limit = 4_096
    private var owners: [ExactText: String] = [:]
    /// The streams in a ring, from the oldest on.
    private var ring: [ExactText] = []
    private var oldest = 0

    /// Whose stream it is; from now on the step's, if it was nobody's. Of too many streams the oldest is forgotten.
    mutating func owner(of stream: String, or step: String) -> String {
        let name = ExactText(stream)
        if let owner = owners[name] { return owner }
        owners[name] = step
        if ring.count < Self.limit {
            ring.append(name)
        } else {
            owners[ring[oldest]] = nil
            ring[oldest] = name
            oldest = (oldest + 1) % Self.limit
        }
        return step
    }
}
