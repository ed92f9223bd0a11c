public import ChatModel

/// Conversations of two with a Double Ratchet, after PRIVATE1.
///
/// ``Libchat`` is the version that the existing libchat speaks.
public enum PrivateV1 {
    /// A frame that carries nothing: it shows that the other side is there, and how many such it sent.
    public struct Placeholder: Hashable, Sendable {
        /// The kind under which an event reports it.
        public static let kind = "placeholder"
        /// The sender's count.
        public let counter: UInt32

        /// Nil for any other event.
        public init?(_ event: Event) {
            guard case .frame(kind: Self.kind, let bytes) = event, let counter = Frame.counter(of: bytes) else {
                return nil
            }
            self.counter = counter
        }
    }
}
