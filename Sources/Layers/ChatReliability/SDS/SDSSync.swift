import ChatModel

/// When the next sync message is due (SDS-12, SDS-13).
struct SDSSync: Sendable {
    private let times: SDSTimes
    /// When; nil while there is nothing to tell.
    private(set) var due: Timestamp?
    /// Whether others wait for an acknowledgement.
    private var owes = false
    /// Sync messages in a row in which nothing was new.
    private var quiet = 0
    /// When another participant was last heard.
    private var heard: Timestamp?
    /// Spreads participants over time; need not be unpredictable.
    private var noise: UInt64

    init(_ participant: Identifier, _ times: SDSTimes) {
        self.times = times
        noise = SDSRepair.hash([participant]) | 1
    }

    /// A time between a half and the whole of one.
    private mutating func spread(_ time: UInt64) -> UInt64 {
        noise = noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return time / 2 + (time / 2).multipliedFullWidth(by: noise).high
    }

    private mutating func rest(from now: Timestamp) {
        owes = false
        due = now.later(by: spread(min(times.syncInterval.doubled(quiet), times.syncLongest)))
    }

    /// Something was sent, which told all there is to tell.
    mutating func didBroadcast(at now: Timestamp, isNew: Bool) {
        quiet = isNew ? 0 : quiet + 1
        rest(from: now)
    }

    /// Another participant told what there is to tell.
    mutating func wasCovered(at now: Timestamp) { rest(from: now) }

    /// Something came that its sender would like to know about.
    mutating func owe(_ now: Timestamp, isNew: Bool, isGroup: Bool) {
        if isNew { quiet = 0 }
        guard !owes else { return }
        owes = true
        let latest = now.later(by: spread(times.acknowledgeWithin &* (isGroup ? 4 : 1)))
        due = min(due ?? latest, latest)
    }

    /// Notes that another participant was heard; returns whether that is for the first time after a silence.
    mutating func hear(_ now: Timestamp) -> Bool {
        defer { heard = now }
        guard let heard else { return true }
        return heard.later(by: times.syncInterval &* 2) <= now
    }

    /// Something is to be said at once.
    mutating func hurry(_ now: Timestamp) { due = now }
}
