// What clients and backends see.
extension MessageTree {
    /// The messages that a client sees, in order of creation.
    public var visible: [Message] {
        order.compactMap { self[$0] }.filter { !$0.visibility.isHiddenFromUser }.map(message)
    }

    /// The active path as a client sees it.
    public var visiblePath: [Message] {
        activePath.filter { !$0.visibility.isHiddenFromUser }.map(message)
    }

    /// A message that a client sees.
    public func message(_ id: MessageID) throws(ErrorBody) -> Message {
        message(try visibleNode(id))
    }

    /// The visible children of a message in order of their indexes (operation 13).
    public func messages(under parent: MessageID) throws(ErrorBody) -> [Message] {
        _ = try visibleNode(parent)
        return siblings(under: parent).filter { !$0.visibility.isHiddenFromUser }.map(message)
    }

    /// The variants of a message: those of its role under its parent (CE-G21). Where none of them is active, the
    /// message itself is taken for the current one.
    public func variants(of id: MessageID) throws(ErrorBody) -> MessageVariants {
        let variants = self.variants(of: try visibleNode(id))
        let current = variants.firstIndex(where: \.isActive) ?? variants.firstIndex { $0.id == id } ?? 0
        return MessageVariants(variants: variants.map(message), current: current)
    }

    /// A path as a backend gets it: without what is hidden from it, and without what says nothing (CE-31, CE-G28).
    public func history(to id: MessageID?) -> [Message] {
        path(to: id).filter { !$0.visibility.isHiddenFromBackend && !$0.content.isEmpty }.map(message)
    }

    /// A node that a client sees.
    func visibleNode(_ id: MessageID) throws(ErrorBody) -> Node {
        guard let node = self[id], !node.visibility.isHiddenFromUser else { throw .noMessage(id) }
        return node
    }

    private func variants(of node: Node) -> [Node] {
        siblings(under: node.parent).filter { $0.role == node.role && !$0.visibility.isHiddenFromUser }
    }

    private func message(_ node: Node) -> Message {
        let total = max(1, visibleVariants(of: node))
        return Message(
            id: node.id, session: session, parent: node.parent, role: node.role, content: node.content,
            files: node.files,
            place: Message.Place(index: node.index, isActive: node.isActive, isComplete: node.isComplete),
            variant: VariantInfo(index: node.index, total: total), metadata: node.metadata, createdAt: node.createdAt)
    }
}
