package import ChatCodec
public import ChatModel

/// A frame that carries nothing: it shows that the other side is there, and how many such it sent (PRIVATE1).
public struct Placeholder: Hashable, Sendable {
    /// The kind under which an event reports it.
    public static let kind = "placeholder"
    /// The sender's count.
    public let counter: UInt32

    /// Nil for any other event.
    public init?(_ event: Event) {
        guard case .frame(kind: Self.kind, let bytes, _) = event, let placeholder = try? Placeholder(decoding: bytes)
        else {
            return nil
        }
        self = placeholder
    }

    /// Decodes the message `Placeholder`, whose field 1 is the counter.
    package init(decoding bytes: Bytes) throws(WireError) {
        var counter: UInt32 = 0
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            if field == 1 { counter = try reader.uint32() }
        }
        self.counter = counter
    }
}
