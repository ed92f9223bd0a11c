import ChatModel

/// How far a content of several segments is; each side counts for itself.
///
/// The last step of a content is no progress but the content, or its status.
struct TransferProgress: Hashable {
    /// Which content; one that is being received is named by the hash that its segments name, in hex.
    let target: Target
    /// Segments that are here, or that the other side has.
    let done: Int
    /// Of how many; of an own content those that were missing when this run began.
    let of: Int

    init(content: ContentID, done: Int, of: Int) {
        (target, self.done, self.of) = (.own(content), done, of)
    }

    init(hash: Bytes, done: Int, of: Int) {
        (target, self.done, self.of) = (.received(hex(hash.array)), done, of)
    }

    /// Whether nothing is missing any more.
    var isWhole: Bool { done >= of }
}

extension [TransferProgress] {
    /// Keeps the last of each content, and none of one that is whole.
    mutating func note(_ progress: TransferProgress?) {
        guard let progress else { return }
        removeAll { $0.target == progress.target }
        if !progress.isWhole { append(progress) }
    }
}
