public import ChatModel

/// The constants of a reliable conversation type; another set is another type (CT-08).
public struct ReliableConstants: Hashable, Sendable {
    /// The most bytes of a frame in one segment; fewer where the service takes less (PV1-07).
    public var maximumSegment = 102_400
    /// The most bytes that the inner type adds to what it is given.
    public var innerOverhead = 128
    /// Acknowledging, resending, waiting.
    public var sds = SDSSettings.two
    /// The limits of unfinished contents.
    public var reassembly = ReassemblyLimits.behindSDS

    /// The defaults: for two participants, and with the filter of PRIVATE1 (PV1-13).
    public init() {}
}

extension SDSSettings {
    /// For two participants: who asks and who answers is clear, so neither waits for a turn.
    public static var two: SDSSettings {
        var settings = SDSSettings()
        settings.acknowledgesAncestors = true
        settings.resend.window = 64
        // Who has a message that waits for another has it in the filter; sent again, it is acknowledged once delivered.
        settings.hitsToPresume = nil
        (settings.resend.first, settings.sync.acknowledgeWithin) = (.seconds(2), .milliseconds(500))
        (settings.resend.doublesWhileHeard, settings.resend.atOnce) = (false, 8)
        var repair = Repair()
        (repair.shortest, repair.longest, repair.requests) = (.milliseconds(200), .milliseconds(200), 16)
        (repair.answersForOthers, repair.namesSenders) = (false, false)
        settings.repair = repair
        return settings
    }
}

extension ReassemblyLimits {
    /// For segments that come once each and in order, because SDS is below: only what it gives up is missing.
    static var behindSDS: ReassemblyLimits {
        var limits = ReassemblyLimits()
        (limits.finished, limits.takesCutAnew) = (64, true)
        // Longer than SDS waits for a missing segment.
        limits.timeout = .seconds(8 * 86_400)
        return limits
    }
}

/// The names of participants and channel in the messages of a reliable conversation.
public struct ReliableNames: Hashable, Sendable {
    /// The own name and the other side's.
    public var own, peer: Identifier
    /// The channel.
    public var channel: Identifier

    /// Gives names.
    public init(own: Identifier, peer: Identifier, channel: Identifier) {
        (self.own, self.peer, self.channel) = (own, peer, channel)
    }

    /// The lowercase hex of some bytes each, 127 at most.
    public init(hexOf own: [UInt8], peer: [UInt8], channel: [UInt8]) {
        func name(_ bytes: [UInt8]) -> Identifier { Identifier(hex: bytes.span.extracting(first: 127)) ?? Identifier() }
        self.init(own: name(own), peer: name(peer), channel: name(channel))
    }

    /// `I` and `R` by the roles, in channel `0`: what needs the fewest bytes.
    public init(_ role: Role) {
        let (initiator, responder) = (Identifier("I") ?? Identifier(), Identifier("R") ?? Identifier())
        channel = Identifier("0") ?? Identifier()
        (own, peer) = role == .initiator ? (initiator, responder) : (responder, initiator)
    }
}
