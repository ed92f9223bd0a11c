public import ChatModel
import ChatWire

/// How far a content of several segments is: reported by reliable conversations as a frame of its own kind.
///
/// Nothing that is sent: each side counts for itself. The last step of a content is no progress but the content,
/// or its status.
public struct TransferProgress: Hashable, Sendable {
    /// The kind under which an event reports it.
    public static let kind = "progress"
    /// Which own content; nil where one is being received.
    public let content: ContentID?
    /// Which content is being received: the hash that its segments name; empty for own ones.
    public let hash: Bytes
    /// Segments that are here, or that the other side has.
    public let done: Int
    /// Of how many; of an own content those that were missing when this run began.
    public let of: Int

    init(content: ContentID? = nil, hash: Bytes = [], done: Int, of: Int) {
        (self.content, self.hash, self.done, self.of) = (content, hash, done, of)
    }

    /// Whether nothing is missing any more.
    var isWhole: Bool { done >= of }

    /// Nil for any other event.
    public init?(kind: String, bytes: Bytes) {
        guard kind == Self.kind else { return nil }
        var (content, hash, done, of) = (UInt64(0), Bytes(), UInt32(0), UInt32(0))
        var reader = ProtoReader(bytes.span)
        do {
            while let field = try reader.next() {
                switch field {
                case 1: content = try reader.uint64()
                case 2: hash = bytes.slice(try reader.range())
                case 3: done = try reader.uint32()
                case 4: of = try reader.uint32()
                default: continue
                }
            }
        } catch { return nil }
        self.init(content: content == 0 ? nil : ContentID(content), hash: hash, done: Int(done), of: Int(of))
    }

    /// The event that reports it.
    var event: Event {
        let number = content?.number ?? 0
        let size =
            ProtoSize.field(1, number) + ProtoSize.field(2, count: hash.count) + ProtoSize.field(3, UInt64(done))
            + ProtoSize.field(4, UInt64(of))
        let bytes = Bytes(headRoom: 0, count: size) { output in
            output.append(field: 1, number)
            output.append(field: 2, hash)
            output.append(field: 3, UInt64(done))
            output.append(field: 4, UInt64(of))
        }
        return .frame(kind: Self.kind, bytes: bytes)
    }
}

extension [TransferProgress] {
    /// Keeps the last of each content, and none of one that is whole.
    mutating func note(_ progress: TransferProgress?) {
        guard let progress else { return }
        removeAll { $0.content == progress.content && $0.hash == progress.hash }
        if !progress.isWhole { append(progress) }
    }
}
