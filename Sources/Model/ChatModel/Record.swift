/// One stored piece of a machine's state.
///
/// The bytes begin with a version; a machine refuses a version that it does not know. Keys are the
/// machine's own and are kept apart from those of other machines by the client.
public struct Record: Sendable, Hashable {
    /// Names the piece; the same key again replaces it.
    public let key: String
    /// The piece, or nil where it is gone.
    public let bytes: Bytes?

    /// Stores a piece, or with nil removes it.
    public init(_ key: String, _ bytes: Bytes?) {
        (self.key, self.bytes) = (key, bytes)
    }
}
