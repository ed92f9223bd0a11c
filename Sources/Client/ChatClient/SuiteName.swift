/// A composition's name, for example `links/inbox-v1/private-v1-libchat+plain/udp/envelope-v1`.
public struct SuiteName: Sendable, Hashable, CustomStringConvertible {
    /// Name of the discovery.
    public var discovery: String
    /// Name of the initialization.
    public var initialization: String
    /// Names of the conversation types, the default first.
    public var conversations: [String]
    /// Name of the delivery service.
    public var delivery: String
    /// Name of the framing strategy.
    public var framing: String

    /// A name from its parts.
    public init(discovery: String, initialization: String, conversations: [String], delivery: String, framing: String) {
        (self.discovery, self.initialization, self.conversations) = (discovery, initialization, conversations)
        (self.delivery, self.framing) = (delivery, framing)
    }

    /// Reads a name; whether its parts exist is for a registry to say.
    public init(parsing text: String) throws(SuiteError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts.allSatisfy({ !$0.isEmpty }) else { throw .parts(parts.count, in: text) }
        self.init(
            discovery: parts[0], initialization: parts[1],
            conversations: parts[2].split(separator: "+", omittingEmptySubsequences: false).map(String.init),
            delivery: parts[3], framing: parts[4])
    }

    /// The five parts separated by `/`, conversation types by `+`.
    public var description: String {
        [discovery, initialization, conversations.joined(separator: "+"), delivery, framing].joined(separator: "/")
    }
}
