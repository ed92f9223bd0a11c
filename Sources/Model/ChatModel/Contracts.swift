/// The information a sender needs to reach a recipient: output of Discovery, input of Initialization (DISC-01).
///
/// Discovery carries it without reading it, so that every discovery works with every initialization.
public struct IntroductionBundle: Hashable, Sendable {
    /// Which initialization understands the bytes: namespace and version, for example `chatintro_1`.
    public var scheme: String
    /// Opaque to everyone but that initialization; public, with integrity of its own (INTRO-08).
    public var bytes: Bytes
    /// When its maker stops accepting it, if ever.
    public var expiry: Timestamp?
    /// Whether it is good for one conversation only (INBOX-04).
    public var isSingleUse: Bool

    /// Makes a bundle.
    public init(scheme: String, bytes: Bytes, expiry: Timestamp? = nil, isSingleUse: Bool = false) {
        (self.scheme, self.bytes, self.expiry, self.isSingleUse) = (scheme, bytes, expiry, isSingleUse)
    }
}

/// A name and a value beside a payload, for systems whose framing has them.
public struct Header: Hashable, Sendable {
    /// The header's name.
    public let name: String
    /// Its value.
    public let value: String

    /// Makes a header.
    public init(_ name: String, _ value: String) {
        (self.name, self.value) = (name, value)
    }
}

/// A payload and the machine it is for: between Conversation or Initialization and Framing.
public struct Routed: Sendable, Hashable {
    /// The broadcast domain it travels in.
    public var address: DeliveryAddress
    /// The machine it is for.
    public var route: Route
    /// Counts the payloads of one sender on one route id, from 1; it never repeats, over turns of a ratchet, new
    /// secrets and restarts. 0 where the type does not count.
    public var sequence: UInt64
    /// Mostly none; a framing that cannot carry them refuses with `unsupportedHeader`.
    public var headers: [Header]
    /// Where an answer is expected, for request and response systems.
    public var replyAddress: DeliveryAddress?
    /// In the last payload of a reply: how that ended. For services that offer ``Capability/replies``.
    public var ending: Ending?
    /// The encoded frame.
    public var payload: Payload

    /// Makes a routed payload.
    public init(
        _ address: DeliveryAddress, _ route: Route, payload: Payload, sequence: UInt64 = 0, headers: [Header] = [],
        replyAddress: DeliveryAddress? = nil, ending: Ending? = nil
    ) {
        (self.address, self.route, self.payload) = (address, route, payload)
        (self.sequence, self.headers, self.replyAddress, self.ending) = (sequence, headers, replyAddress, ending)
    }
}

/// Opaque bytes and where they go: between Framing and Delivery Service.
public struct Addressed: Sendable, Hashable {
    /// The broadcast domain.
    public var address: DeliveryAddress
    /// Where an answer is expected, for request and response systems.
    public var replyAddress: DeliveryAddress?
    /// Names and values that a service with ``Capability/headers`` carries beside the payload; the core hands none to
    /// another.
    public var headers: [Header]
    /// In the last payload of a reply: how that ended.
    public var ending: Ending?
    /// Stays the same when the payload is published again, so that a service can drop repeats.
    public var id: PayloadID
    /// The framed payload, opaque to the service (DS-07).
    public var payload: Payload

    /// Makes an addressed payload; the client draws the id.
    public init(
        _ address: DeliveryAddress, payload: Payload, id: PayloadID = PayloadID(high: 0, low: 0),
        replyAddress: DeliveryAddress? = nil, headers: [Header] = [], ending: Ending? = nil
    ) {
        (self.address, self.payload, self.id, self.replyAddress) = (address, payload, id, replyAddress)
        (self.headers, self.ending) = (headers, ending)
    }
}
