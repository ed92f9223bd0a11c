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
    /// The active one of each group that has one.
    private var active: [MessageID?: MessageID] = [:]
    /// How many variants of each role a client sees in a group.
    private var visibleCounts: [Variants: Int] = [:]
    /// Answers that are being generated, by their ids.
    public internal(set) var generating: [MessageID: Generation] = [:]

    /// A tree without messages.
    public init(session: SessionID) {
        self.session = session
    }

    /// A tree of stored messages, in order of creation; nil where one has no parent, or an index or id that another has,
    /// or two of a group are active.
    public init?(session: SessionID, nodes: [Node]) {
        self.init(session: session)
        var indexes: [MessageID?: Set<Int>] = [:]
        for node in nodes {
            guard self.nodes[node.id] == nil, node.parent.map({ self.nodes[$0] != nil }) ?? true,
                indexes[node.parent, default: []].insert(node.index).inserted,
                !node.isActive || active[node.parent] == nil
            else { return nil }
            insert(node)
        }
    }

    private struct Variants: Hashable {
        let parent: MessageID?
        let role: MessageRole
    }

    /// Whether a message is here, or will be.
    func knows(_ id: MessageID) -> Bool { nodes[id] != nil || generating[id] != nil }

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
        while let id = active[path.last?.id], let node = nodes[id] { path.append(node) }
        return path
    }

    /// The messages of whose group the active one is another one in an earlier tree: those that are active now, and
    /// those that are active no more.
    public func moved(since earlier: MessageTree) -> (active: [MessageID], inactive: [MessageID]) {
        var (now, before): ([MessageID], [MessageID]) = ([], [])
        for (parent, id) in active {
            let other = earlier.active[parent]
            guard other != id else { continue }
            now.append(id)
            if let other { before.append(other) }
        }
        return (now, before)
    }

    /// How many variants a client sees of a message that it sees, itself included.
    func visibleVariants(of node: Node) -> Int {
        visibleCounts[Variants(parent: node.parent, role: node.role)] ?? 0
    }
}

// Growing.
extension MessageTree {
    /// The index of the next message of a group (CE-29).
    func nextIndex(under parent: MessageID?) -> Int {
        (children[parent]?.last).flatMap { nodes[$0] }.map { $0.index + 1 } ?? 0
    }

    /// Adds a message whose id is new and whose index no other of its group has.
    mutating func insert(_ node: Node) {
        nodes[node.id] = node
        order.append(node.id)
        let place = children[node.parent]?.lastIndex { (nodes[$0]?.index ?? 0) < node.index }
        children[node.parent, default: []].insert(node.id, at: place.map { $0 + 1 } ?? 0)
        if node.isActive { active[node.parent] = node.id }
        if !node.visibility.isHiddenFromUser {
            visibleCounts[Variants(parent: node.parent, role: node.role), default: 0] += 1
        }
    }

    /// Makes a message the active one of its group.
    mutating func activate(_ id: MessageID) {
        guard let node = nodes[id] else { return }
        if let other = active.updateValue(id, forKey: node.parent) { nodes[other]?.isActive = false }
        nodes[id]?.isActive = true
    }

    /// Leads the active path to a message, whatever it led to before.
    mutating func activatePath(to id: MessageID) {
        for node in path(to: id) { activate(node.id) }
    }
}
