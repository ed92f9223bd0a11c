public import ChatModel

/// The choices of a reliable channel; those of RELIABLE-CHANNEL-API, with its defaults.
public struct ChannelConfiguration: Sendable {
    /// Bytes of a segment, at most; with parity a multiple of 64.
    public var segmentSizeBytes = 102_400
    /// Whether parity segments are added.
    public var enableReedSolomon = false
    /// How long an acknowledgement is waited for before a segment is sent again.
    public var acknowledgementTimeout = Duration.seconds(5)
    /// How often a segment is sent again before it is given up; times after which no participant was heard do not count.
    public var maxRetransmissions = 5
    /// Ids of the log's end that every segment names.
    public var causalHistorySize = 2
    /// How many payloads an epoch takes; nil for no limit.
    public var rateLimit: DeliveryLimits.Rate?
    /// Encrypts what is dispatched and decrypts what comes; nil leaves it in clear (RC-04).
    public var encryption: Encryption?

    /// The defaults.
    public init() {}

    /// The application's encryption of each SDS message (RC-04); any scheme.
    public struct Encryption: Sendable {
        /// Encrypts one; may draw what it needs where it likes.
        public var encrypt: @Sendable (Bytes) throws(Refusal) -> Bytes
        /// Decrypts one, or refuses it.
        public var decrypt: @Sendable (Bytes) throws(Refusal) -> Bytes

        /// Joins the two.
        public init(
            encrypt: @escaping @Sendable (Bytes) throws(Refusal) -> Bytes,
            decrypt: @escaping @Sendable (Bytes) throws(Refusal) -> Bytes
        ) {
            (self.encrypt, self.decrypt) = (encrypt, decrypt)
        }
    }

    /// The same for SDS.
    var sds: SDSSettings {
        var settings = SDSSettings()
        settings.historyLength = max(1, causalHistorySize)
        settings.resend.first = acknowledgementTimeout
        settings.resend.longest = max(settings.resend.longest, acknowledgementTimeout)
        // Counted, not timed: a restart, a quota, a lost link or a silence uses up no tries.
        (settings.resend.doublesWhileHeard, settings.resend.most) = (false, max(0, maxRetransmissions))
        settings.acknowledgesAncestors = true
        return settings
    }

    /// The limits of unfinished contents: SDS delivers each segment once, and acknowledges it when it does.
    static var reassembly: ReassemblyLimits {
        var limits = ReassemblyLimits.behindSDS
        (limits.finished, limits.isEachOnce, limits.takesCutAnew) = (4_096, true, false)
        return limits
    }

    func segmentation() throws(Refusal) -> Segmentation {
        try Segmentation(segmentSize: segmentSizeBytes, parity: enableReedSolomon ? .standard : nil)
    }
}
