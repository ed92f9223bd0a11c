/// Where delivery services leave payloads for one client: bounded, in batches.
///
/// A service offers payloads and notices; the client asks for the next batch, which says that it has
/// stored the last one. A full mailbox takes nothing more: the service retains the rest, or reports
/// a gap with ``Notice/gone(_:)``. Many services may share one mailbox; one task reads it.
public final class Mailbox: Sendable {
    /// The most payloads it holds that the client has not stored.
    public let capacity: Int
    /// The most payload bytes it holds that the client has not stored.
    public let byteCapacity: Int
    private let state: Lock<State>

    fileprivate struct State {
        var deliveries: [Delivery] = []
        var notices: [PlacedNotice] = []
        var bytes = 0
        /// Payloads that the reader holds and has not stored yet.
        var lent: [Delivery] = []
        var lentBytes = 0
        var isClosed = false
        var reader: CheckedContinuation<Batch?, Never>?
        var watchers: [ObjectIdentifier: @Sendable ([Delivery]) -> Void] = [:]

        /// Whether a request for a batch is answered at once.
        var isReady: Bool { isClosed || !deliveries.isEmpty || !notices.isEmpty }
    }

    /// An empty mailbox.
    public init(capacity: Int = 4_096, byteCapacity: Int = 32 << 20) {
        (self.capacity, self.byteCapacity) = (capacity, byteCapacity)
        state = Lock(State())
    }

    /// Payloads and notices since the last batch: one list in the order of arrival, kept as two.
    public struct Batch: Sendable {
        /// Payloads in the order of arrival.
        public let deliveries: [Delivery]
        /// News of the services, each with its place among the payloads.
        public let placedNotices: [PlacedNotice]

        /// News of the services.
        public var notices: [Notice] { placedNotices.map(\.notice) }

        /// The batch in the order of arrival: payloads, then a notice, and so on; the last without a notice.
        public var runs: [(deliveries: ArraySlice<Delivery>, notice: Notice?)] {
            var (runs, start): ([(deliveries: ArraySlice<Delivery>, notice: Notice?)], Int) = ([], 0)
            for placed in placedNotices {
                runs.append((deliveries[start..<placed.place], placed.notice))
                start = placed.place
            }
            return runs + [(deliveries[start...], nil)]
        }
    }

    /// News of a service, and how many payloads of the batch came before it.
    public struct PlacedNotice: Sendable, Hashable {
        /// The news.
        public let notice: Notice
        /// How many payloads of the batch came before it.
        public let place: Int
    }
}

/// A payload that arrived.
public struct Delivery: Sendable, Hashable {
    /// The payload.
    public let addressed: Addressed
    /// Its place in the address's history, if the service keeps one.
    public let cursor: Cursor?

    /// A payload with its place.
    public init(_ addressed: Addressed, cursor: Cursor? = nil) {
        (self.addressed, self.cursor) = (addressed, cursor)
    }
}

/// News of a delivery service.
public enum Notice: Sendable, Hashable {
    /// The link is lost, of one address or of all; the service tries to get it back (DS-14).
    case interrupted(String, on: DeliveryAddress? = nil)
    /// The link is back, of one address or of all.
    case resumed(on: DeliveryAddress? = nil)
    /// An address has ended, and why; or the last listener of one at which this client replies is gone (DS-17).
    case ended(DeliveryAddress, Ending)
    /// Payloads of an address were lost before they could be delivered.
    case gone(DeliveryAddress)

    /// Whether a later notice says all that this one does, so that this one need not be read.
    fileprivate func isReplaced(by later: Notice) -> Bool {
        if case (.interrupted(_, let address), .interrupted(_, let other)) = (self, later) { return address == other }
        return self == later
    }
}

// For delivery services.
extension Mailbox {
    /// Offers payloads; returns how many were taken, first come first. The rest must be offered again.
    ///
    /// A payload larger than ``byteCapacity`` is taken when nothing else waits, so that it cannot block forever.
    public func offer(_ deliveries: [Delivery]) -> Int {
        let (taken, wake) = state.withLock { state -> (Int, Wake?) in
            guard !state.isClosed else { return (deliveries.count, nil) }
            var taken = 0
            for delivery in deliveries {
                let size = delivery.addressed.payload.count
                let held = state.deliveries.count + state.lent.count + taken
                let bytes = state.bytes + state.lentBytes + size
                guard held < capacity, bytes <= byteCapacity || held == 0 else { break }
                state.bytes += size
                taken += 1
            }
            if taken == deliveries.count, state.deliveries.isEmpty {
                state.deliveries = deliveries
            } else {
                state.deliveries.append(contentsOf: deliveries.prefix(taken))
            }
            return (taken, state.wakeReader())
        }
        wake?.now()
        return taken
    }

    /// Leaves a notice; it replaces the same one waiting already, so that the last one about a link is its state.
    public func notify(_ notice: Notice) {
        let wake = state.withLock { state -> Wake? in
            guard !state.isClosed else { return nil }
            state.notices.removeAll { $0.notice.isReplaced(by: notice) }
            state.notices.append(PlacedNotice(notice: notice, place: state.deliveries.count))
            return state.wakeReader()
        }
        wake?.now()
    }

    /// Calls a handler with what the client has stored: for brokers that want to hear it, and to offer again.
    ///
    /// Each service has one handler, so it may ask again with every subscription.
    public func whenStored(for service: AnyObject, _ handler: @escaping @Sendable ([Delivery]) -> Void) {
        state.withLock { $0.watchers[ObjectIdentifier(service)] = handler }
    }
}

// For the client.
extension Mailbox {
    /// Waits for the next batch, which says that the last one is stored.
    ///
    /// Nil once the mailbox is closed, the task is cancelled, or another reader takes this one's place.
    public func next() async -> Batch? {
        let (stored, watchers) = state.withLock { state in
            defer { (state.lent, state.lentBytes) = ([], 0) }
            return (state.lent, state.watchers)
        }
        if !stored.isEmpty { for watcher in watchers.values { watcher(stored) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Batch?, Never>) in
                let (displaced, wake) = state.withLock { state -> (CheckedContinuation<Batch?, Never>?, Wake?) in
                    let displaced = state.reader
                    state.reader = continuation
                    return (displaced, state.isReady || Task.isCancelled ? state.wakeReader(always: true) : nil)
                }
                displaced?.resume(returning: nil)
                wake?.now()
            }
        } onCancel: {
            state.withLock { $0.wakeReader(always: true) }?.now()
        }
    }

    /// Ends the mailbox: nothing more is taken, and the reader gets nil.
    public func close() {
        let wake = state.withLock { state -> Wake? in
            state.isClosed = true
            (state.deliveries, state.notices, state.bytes) = ([], [], 0)
            return state.wakeReader()
        }
        wake?.now()
    }
}

/// A reader to be resumed once the lock is free.
private struct Wake {
    let reader: CheckedContinuation<Mailbox.Batch?, Never>
    let batch: Mailbox.Batch?

    func now() { reader.resume(returning: batch) }
}

extension Mailbox.State {
    fileprivate mutating func wakeReader(always: Bool = false) -> Wake? {
        guard isReady || always, let reader else { return nil }
        self.reader = nil
        guard !deliveries.isEmpty || !notices.isEmpty else { return Wake(reader: reader, batch: nil) }
        let batch = Mailbox.Batch(deliveries: deliveries, placedNotices: notices)
        (lent, lentBytes) = (deliveries, bytes)
        (deliveries, notices, bytes) = ([], [], 0)
        return Wake(reader: reader, batch: batch)
    }
}
