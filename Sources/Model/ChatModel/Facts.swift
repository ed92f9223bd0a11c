/// A component's description of itself: its name, its claims and its needs.
public struct Facts: Sendable, Hashable {
    /// The name by which a composition is written, in lowercase and without `/` and `+`.
    public let name: String
    /// One sentence for people.
    public let summary: String
    /// Properties, each with the requirement that gives it.
    public let claims: [Claim]
    /// The capabilities that the delivery service must offer.
    public let needs: Set<Capability>

    /// Of an initialization: how many messages a first contact takes, the invite included.
    public let messages: Int

    /// States the facts.
    public init(
        name: String, summary: String, claims: [Claim] = [], needs: Set<Capability> = [], messages: Int = 1
    ) {
        (self.name, self.summary, self.claims, self.needs) = (name, summary, claims, needs)
        self.messages = messages
    }
}

/// One property and the requirement of a specification that gives it.
public struct Claim: Sendable, Hashable {
    /// The property.
    public let property: Property
    /// The requirement id, for example `PV1-18`.
    public let requirement: String
    /// False where the component states that the property does not hold.
    public let holds: Bool
    /// To what extent, or under which condition; may be empty.
    public let note: String

    /// Claims a property, or with `holds: false` states plainly that it is absent.
    public init(_ property: Property, _ requirement: String, holds: Bool = true, _ note: String = "") {
        (self.property, self.requirement, self.holds, self.note) = (property, requirement, holds, note)
    }
}

/// A property that components claim; outsiders may add their own.
public struct Property: RawRepresentable, Hashable, Sendable {
    /// The property's name for people and programs.
    public let rawValue: String

    /// A property by its name.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Only participants read content.
    public static let confidentiality = Property(rawValue: "confidentiality")
    /// Altered payloads are noticed.
    public static let integrity = Property(rawValue: "integrity")
    /// Participants know whom they talk to.
    public static let authentication = Property(rawValue: "authentication")
    /// Keys taken today do not open yesterday's payloads.
    public static let forwardSecrecy = Property(rawValue: "forward secrecy")
    /// Keys taken today do not open tomorrow's payloads for long.
    public static let postCompromiseSecurity = Property(rawValue: "post-compromise security")
    /// Only the recipient learns who sent.
    public static let senderPrivacy = Property(rawValue: "sender privacy")
    /// An observer does not learn who receives.
    public static let recipientPrivacy = Property(rawValue: "recipient privacy")
    /// No transferable proof of authorship is left.
    public static let deniability = Property(rawValue: "deniability")
    /// Payloads of one conversation cannot be told to belong together.
    public static let unlinkability = Property(rawValue: "unlinkability")
    /// Missing content is noticed.
    public static let lossDetection = Property(rawValue: "loss detection")
    /// Missing content is sent again until it arrives.
    public static let lossRecovery = Property(rawValue: "loss recovery")
    /// Content is delivered after everything that its sender knew when it was sent.
    public static let causalOrder = Property(rawValue: "causal order")
    /// The same payload twice has no second effect.
    public static let replayProtection = Property(rawValue: "replay protection")
}

/// Something that a delivery service may offer and a component may need.
public enum Capability: String, Hashable, Sendable, CaseIterable {
    /// Payloads from before a subscription can be had (DS-11).
    case offlineRetrieval = "offline retrieval"
    /// Payloads of one sender on one address arrive in order.
    case ordering
    /// A publish that succeeds means that the service has the payload.
    case acknowledgement
    /// All subscribers of an address, the publisher too, see its payloads in one order; a payload that is published
    /// again keeps its place (DS-16).
    case totalOrder = "total order"
    /// Who asked with a reply address learns how the reply ended, and who serves learns that the last
    /// listener is gone (DS-17).
    case replies
    /// Headers are carried beside the payload (DS-18).
    case headers
}
