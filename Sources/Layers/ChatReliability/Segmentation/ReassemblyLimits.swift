/// How much of unfinished payloads is kept (SEG-10, SEG-12); each bound with its reason.
public struct ReassemblyLimits: Hashable, Sendable {
    /// Unfinished payloads of one sender: more than a patient sender has on its way at once.
    public var payloadsPerSender = 32
    /// Bytes of them: one payload of 255 segments of 102,400 bytes, the suite's segment size, fits.
    public var bytesPerSender = 32 << 20
    /// Unfinished payloads of all senders.
    public var payloads = 256
    /// Bytes of them.
    public var bytes = 128 << 20
    /// How long one is kept without a new segment; longer than a service retries, shorter than a flood lasts.
    public var timeout = Duration.seconds(600)
    /// Finished payloads that are remembered, so that repeated segments are known to be repeated; oldest go first.
    ///
    /// 0 where repeats do not get here, as behind SDS.
    public var finished = 4_096
    /// Whether the layer below delivers each segment once. Then equal payloads are several: a segment that comes again
    /// belongs to the next of them, and of a finished one only the segments that have not come yet are remembered.
    public var isEachOnce = false
    /// Whether a sender may cut a payload anew, into another number of segments: each cut is put together by itself,
    /// and the first that is whole ends the others. Of finished payloads only those of several segments are remembered.
    public var takesCutAnew = false
    /// The longest name of a sender in bytes.
    public static let maximumSender = 255
    /// The overhead of a segment beside its bytes.
    static let segmentCost = 64

    /// The defaults.
    public init() {}
}
