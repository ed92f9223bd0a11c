package import ChatDeliveryService
public import ChatModel

/// What an inspector knows beside the bytes; nothing of it is ever printed.
public struct Keys: Sendable {
    /// The private identity key of the one invited, 32 bytes.
    public var identity: Secret?
    /// Private single-use keys behind bundles, 32 bytes each.
    public var ephemerals: [Secret]
    /// Message keys of a ratchet, 32 bytes each.
    public var messageKeys: [Secret]
    /// Secrets of conversations, 32 bytes each; with an ephemeral key they open an initiator's first payloads.
    public var secrets: [Secret]
    /// State records of conversations with a ratchet; they open what the conversation would take next.
    public var states: [Secret]
    /// Routes: the ids of conversations and inboxes, with which hints are compared.
    public var routes: [String]
    /// Keys of sealed sessions between clients and a relay.
    package var hops: [HopKeys] = []

    /// Adds the keys of a log that `chat-relay --key-log` wrote (Specs/udp-sealed.md, Key log).
    public mutating func read(keyLog: String) { hops += HopKeys.read(keyLog) }

    /// Collects what is known.
    public init(
        identity: Secret? = nil, ephemerals: [Secret] = [], messageKeys: [Secret] = [], secrets: [Secret] = [],
        states: [Secret] = [], routes: [String] = []
    ) {
        (self.identity, self.ephemerals, self.messageKeys) = (identity, ephemerals, messageKeys)
        (self.secrets, self.states, self.routes) = (secrets, states, routes)
    }
}
