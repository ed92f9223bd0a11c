/// The messages of one session: a forest that grows and never changes (section 8 of `Specs/chat-engine.md`).
///
/// A message keeps its parent and its content for ever. Siblings have different indexes, and one of each group is
/// active, except where only guests have written: the active path leads from the root through active messages. What is
/// refused changes nothing.
public struct MessageTree: Hashable, Sendable {
    /// A message as it is stored.
    public struct Node: Hashable, Sendable {
        /// Its id.
        public let id: MessageID
        /// The message that it answers.
        public let parent: MessageID?
        /// Who it is from.
        public let role: MessageRole
        /// What it says.
        public let content: [ContentPart]
        /// Files.
        public let files: [UUIDText]?
        /// The place among its siblings.
        public let index: Int
        /// Whether its generation came to its end.
        public let isComplete: Bool
        /// From whom it is hidden.
        public let visibility: Visibility
        /// What its backend said besides.
        public let metadata: Metadata
        /// When it came to be.
        public let createdAt: DateTime
        /// Whether it is the active one of its siblings.
        public fileprivate(set) var isActive: Bool

        /// A node.
        public init(
            id: MessageID, parent: MessageID?, role: MessageRole, content: [ContentPart], files: [UUIDText]? = nil,
            index: Int, isComplete: Bool = true, visibility: Visibility = Visibility(),
            metadata: Metadata = Metadata(), createdAt: DateTime, isActive: Bool
        ) {
            (self.id, self.parent, self.role, self.content, self.files) = (id, parent, role, content, files)
            (self.index, self.isComplete, self.visibility) = (index, isComplete, visibility)
            (self.metadata, self.createdAt, self.isActive) = (metadata, createdAt, isActive)
        }
    }

    /// The session.
    public let session: SessionID
    /// The messages in order of creation.
    public private(set) var order: [MessageID] = []
    private var nodes: [MessageID: Node] = [:]
    private var children: [MessageID?: [MessageID]] = [:]
    /// Answers that are being generated, by their ids.
    public internal(set) var generating: [MessageID: Generation] = [:]

    /// A tree without messages.
    public init(session: SessionID) {
        self.session = session
    }

    /// A tree of stored messages, in order of creation; nil where one has no parent, or an index or id that another has.
    public init?(session: SessionID, nodes: [Node]) {
        self.init(session: session)
        for node in nodes {
            guard self.nodes[node.id] == nil, node.parent.map({ self.nodes[$0] != nil }) ?? true,
                !siblings(under: node.parent).contains(where: { $0.index == node.index })
            else { return nil }
            insert(node)
        }
    }

    /// A message.
    public subscript(id: MessageID) -> Node? { nodes[id] }

    /// The children of a message, or the roots, in order of their indexes.
    public func siblings(under parent: MessageID?) -> [Node] {
        (children[parent] ?? []).compactMap { nodes[$0] }
    }

    /// The messages from the root to one, which is the last.
    public func path(to id: MessageID?) -> [Node] {
        var path: [Node] = []
        var next = id
        while let id = next, let node = nodes[id] {
            path.append(node)
            next = node.parent
        }
        return path.reversed()
    }

    /// The messages from the root through the active one of each group.
    public var activePath: [Node] {
        var path: [Node] = []
        while let node = siblings(under: path.last?.id).first(where: \.isActive) { path.append(node) }
        return path
    }
}

// Growing.
extension MessageTree {
    /// The index of the next message of a group (CE-29).
    func nextIndex(under parent: MessageID?) -> Int {
        (siblings(under: parent).last?.index).map { $0 + 1 } ?? 0
    }

    /// Adds a message whose id is new and whose index is the next of its group.
    mutating func insert(_ node: Node) {
        nodes[node.id] = node
        order.append(node.id)
        var group = children[node.parent] ?? []
        let place = group.firstIndex { (nodes[$0]?.index ?? 0) > node.index } ?? group.count
        group.insert(node.id, at: place)
        children[node.parent] = group
    }

    /// Makes a message the active one of its group.
    mutating func activate(_ id: MessageID) {
        guard let node = nodes[id] else { return }
        for sibling in children[node.parent] ?? [] { nodes[sibling]?.isActive = sibling == id }
    }

    /// Leads the active path to a message, whatever it led to before.
    mutating func activatePath(to id: MessageID) {
        for node in path(to: id) { activate(node.id) }
    }
}
