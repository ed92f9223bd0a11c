import ChatCodec
import ChatModel

/// Secrets and sequences of the two routes of a ratchet, for framings that derive identifiers (CONVERSATION-12, -13).
///
/// A chain that begins with a step from root key R has the secret that follows from R. The receiver knows R before
/// the sender uses it, so it listens to a new secret before the first payload under it. A sequence counts the
/// payloads of the chains before and those of its own chain, from 1: both sides compute it from authentic headers.
struct RatchetRoutes: Equatable, Sendable {
    /// A receiving chain of which payloads may still come.
    struct Epoch: Equatable {
        /// How many payloads the chains before it have.
        let start: UInt64
        /// The secret from which its identifiers are derived.
        let secret: Secret
    }

    /// Receiving chains that are listened to, the newest included; the oldest are given up first.
    static let maximumEpochs = 3
    /// Where the sequences of a conversation begin that was stored without them: above every number in a chain,
    /// which was passed as sequence before.
    static let migratedStart = UInt64(1) << 32

    /// False in a conversation that was stored without secrets: its first ones are gone, so it never has any.
    private(set) var hasSecrets = true
    /// Payloads sent in the chains before the sending one.
    private(set) var sentBefore: UInt64 = 0
    /// The secret of the sending chain; nil before the first one.
    private(set) var sending: Secret?
    /// The chains that are received, oldest first.
    private(set) var epochs: [Epoch] = []
    /// The secret of the chain that the other side begins once it has our newest ratchet key.
    private(set) var next: Secret?

    init() {}

    /// Of a conversation that was stored without secrets and sequences.
    static var migrated: RatchetRoutes {
        var routes = RatchetRoutes()
        (routes.hasSecrets, routes.sentBefore) = (false, migratedStart)
        return routes
    }

    /// A sending chain begins with a step from one root key to another, behind a chain of so many payloads.
    mutating func beginSending(from root: Secret, to nextRoot: Secret, behind count: Int) {
        sentBefore += UInt64(count)
        guard hasSecrets else { return }
        (sending, next) = (RouteSecret.following(root), RouteSecret.following(nextRoot))
    }

    /// A receiving chain begins with a step from a root key, behind a chain of so many payloads.
    mutating func beginReceiving(from root: Secret, behind count: Int) {
        let start = self.start + UInt64(count)
        guard hasSecrets else { return }
        epochs.append(Epoch(start: start, secret: next ?? RouteSecret.following(root)))
        if epochs.count > Self.maximumEpochs { epochs.removeFirst() }
        next = nil
    }

    /// Payloads in the chains before the receiving one.
    var start: UInt64 { epochs.last?.start ?? 0 }

    /// Forgets chains that are complete: every payload below a sequence arrived or was given up.
    mutating func complete(below lowestWanted: UInt64) {
        while epochs.count > 1, epochs[1].start < lowestWanted { epochs.removeFirst() }
    }
}

// Listenings: a secret for each chain, in the order in which they are used, and a window of sequences.
extension RatchetRoutes {
    /// How many secrets are listened to.
    var listenedCount: Int { epochs.count + (next == nil ? 0 : 1) }

    /// One of the secrets that are listened to.
    func secret(_ index: Int) -> Secret? { index < epochs.count ? epochs[index].secret : next }

    /// Which sequences under a secret are of interest.
    ///
    /// - Parameters:
    ///   - received: one more than the highest number that arrived in the receiving chain.
    ///   - missing: the lowest sequence that is missing, if one is.
    func window(_ index: Int, received: Int, missing: UInt64?) -> SequenceWindow {
        let highest = start + UInt64(received)
        guard index < epochs.count else {
            return SequenceWindow(lowestWanted: highest + 1, highestSeen: epochs.isEmpty ? nil : highest)
        }
        let end = index + 1 < epochs.count ? epochs[index + 1].start : highest
        guard let missing, missing <= end else { return SequenceWindow(lowestWanted: end + 1, highestSeen: end) }
        return SequenceWindow(lowestWanted: max(missing, epochs[index].start + 1), highestSeen: end)
    }
}

// How they are stored, within the state of the ratchet.
extension RatchetRoutes {
    /// Field 11 of a ratchet's state.
    struct State: ProtoMessage {
        /// Field 1: payloads sent in earlier chains. Field 2: the secret of the sending chain. Field 4: `hasSecrets`.
        var (sentBefore, sending, hasSecrets) = (UInt64(0), Bytes(), false)
        /// Field 3: the start of each receiving chain in 8 bytes, big-endian, and its secret in 32.
        var epochs = Bytes()

        init() {}

        init(decoding bytes: Bytes) throws(WireError) {
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: sentBefore = try reader.uint64()
                case 2: sending = bytes.slice(try reader.range())
                case 3: epochs = bytes.slice(try reader.range())
                case 4: hasSecrets = try reader.bool()
                default: continue
                }
            }
        }

        var size: Int {
            ProtoSize.field(1, sentBefore) + ProtoSize.field(2, count: sending.count)
                + ProtoSize.field(3, count: epochs.count) + ProtoSize.field(4, hasSecrets ? 1 : 0)
        }

        @_lifetime(output: copy output)
        func write(to output: inout OutputSpan<UInt8>) {
            output.append(field: 1, sentBefore)
            output.append(field: 2, sending)
            output.append(field: 3, epochs)
            output.append(field: 4, hasSecrets ? 1 : 0)
        }
    }

    private static let epochSize = 8 + RouteSecret.size
    /// The largest sequence that is read: what is added to it does not overflow.
    private static let maximumStart = UInt64(1) << 62

    /// As it is stored; ``next`` follows from the root key.
    var state: State {
        var state = State()
        (state.sentBefore, state.hasSecrets) = (sentBefore, hasSecrets)
        if let sending { state.sending = sending.lend { Bytes(copying: $0) } }
        guard !epochs.isEmpty else { return state }
        state.epochs = Bytes(headRoom: 0, count: epochs.count * Self.epochSize) { output in
            for epoch in epochs {
                for shift in stride(from: UInt64(56), through: 0, by: -8) {
                    output.append(UInt8(truncatingIfNeeded: epoch.start >> shift))
                }
                epoch.secret.lend { output.append(bytes: $0) }
            }
        }
        return state
    }

    /// Takes up a stored state; nil where it contradicts itself.
    ///
    /// - Parameter newestRoot: the root key if a sending chain was begun with it, from which ``next`` follows.
    init?(_ state: State, newestRoot: Secret?) {
        let count = state.epochs.count / Self.epochSize
        guard state.epochs.count == count * Self.epochSize, count <= Self.maximumEpochs,
            state.sentBefore <= Self.maximumStart, [0, RouteSecret.size].contains(state.sending.count),
            state.hasSecrets || (state.sending.isEmpty && count == 0)
        else { return nil }
        (sentBefore, hasSecrets) = (state.sentBefore, state.hasSecrets)
        if !state.sending.isEmpty { sending = Secret(copying: state.sending.span) }
        for index in 0..<count {
            let bytes = state.epochs.slice(index * Self.epochSize..<(index + 1) * Self.epochSize)
            let start = bytes.span.bigEndian(0..<8)
            guard start <= Self.maximumStart, epochs.last.map({ $0.start < start }) ?? true else { return nil }
            epochs.append(Epoch(start: start, secret: Secret(copying: bytes.slice(8..<bytes.count).span)))
        }
        if hasSecrets, let newestRoot { next = RouteSecret.following(newestRoot) }
    }
}
