package import ChatCrypto
package import ChatModel

/// The seal of one session, on either side: the keys of both directions, their replacement, and the connection ids.
///
/// The client begins each exchange of keys and repeats its half until the other half comes; the relay answers each.
/// Nobody seals under a key before the other side has both halves, so no packet is lost to an exchange (UDP2-10).
package struct HopSeal: Sendable {
    /// Which end of the hop this is.
    package enum Side: Sendable { case client, relay }

    /// Keys of a direction are replaced after this time, while there is traffic.
    package static let keyLifetime = MicrosecondSpan(120_000_000)
    /// One number is left out, at random, among so many (UDP2-11).
    package static let numbersPerGap: UInt64 = 256
    /// Packets that did not open, after which a session ends (UDP2-9).
    static let forgeriesTolerated: UInt64 = 1 << 36

    /// A half of an exchange of keys.
    struct Half: Sendable, Hashable {
        let generation: UInt64
        let key: PublicKey
    }

    /// An exchange that this side has its half of.
    private struct Exchange: Sendable {
        let own: KeyPair
        let half: Half
        /// The relay: the client's half, and the secret of both.
        var answered: (PublicKey, Secret)?
        /// When the half is to be sent, or sent again; nil on the relay's side unless an answer is due.
        var sendAt: MonotonicInstant?
        var attempts = 0
    }

    /// The id of packets to this side.
    package let ownID: UInt64
    /// The id of packets to the other side.
    package let remoteID: UInt64
    private let side: Side
    private var sealer: PacketSealer
    private var opener: PacketOpener
    private var random: any RandomSource
    private let log: HopKeyLog?
    private var exchange: Exchange?
    private var keyBegan: MonotonicInstant
    /// When the key before the current one is forgotten.
    private var forgetAt: MonotonicInstant?
    private var gapAt: UInt64 = 0
    /// Packets that did not open.
    private(set) var forgeries: UInt64 = 0

    /// The seal of a session whose handshake is over.
    ///
    /// - Parameters:
    ///   - side: which end this is.
    ///   - outcome: what the handshake gave.
    ///   - ids: of packets to this side and to the other one.
    ///   - random: draws later keys and the numbers that are left out.
    ///   - log: writes the keys down for who inspects the traffic; nil as a rule.
    package init(
        _ side: Side, _ outcome: Noise.Outcome, ids: (own: UInt64, remote: UInt64), random: any RandomSource,
        log: HopKeyLog? = nil, now: MonotonicInstant
    ) throws(CryptoError) {
        let toRelay = try PacketKey(sealing: outcome.toRelay, root: outcome.root, label: "to relay")
        let toClient = try PacketKey(sealing: outcome.toClient, root: outcome.root, label: "to client")
        (sealer, opener) =
            side == .client
            ? (PacketSealer(toRelay), PacketOpener(toClient)) : (PacketSealer(toClient), PacketOpener(toRelay))
        (self.side, ownID, remoteID, self.random, self.log, keyBegan) = (side, ids.own, ids.remote, random, log, now)
        planGap(from: 1)
        log?.began(self.ids, outcome)
    }

    private var ids: (client: UInt64, relay: UInt64) { side == .client ? (ownID, remoteID) : (remoteID, ownID) }

    /// The newest number that was opened.
    var newestOpened: UInt64? { opener.newest }
    /// The number of the next packet.
    var next: UInt64 { sealer.next }
    /// How many keys came before the one that this side seals under.
    package var generation: UInt64 { sealer.generation }
    /// Whether the session must end: nobody agreed on a next key, or somebody has tried to forge for too long.
    var isSpent: Bool { sealer.isSpent || forgeries >= Self.forgeriesTolerated }
}

// Packets.
extension HopSeal {
    /// The number and the frames of a packet to this side; a refused one changes nothing but a counter.
    ///
    /// - Parameter wait: a probe timeout.
    mutating func open(
        _ packet: Span<UInt8>, wait: MicrosecondSpan, now: MonotonicInstant
    ) throws(SealedError) -> (number: UInt64, frames: [UInt8]) {
        forgetIfDue(now)
        let generation = opener.generation
        let opened: (number: UInt64, frames: [UInt8])
        do throws(SealedError) { opened = try opener.open(packet) } catch {
            if case .replayed = error { throw error }
            forgeries += 1
            throw error
        }
        if opener.generation > generation { moved(wait, now) }
        return opened
    }

    /// Seals the last packet of what was written, where it lies.
    mutating func seal(from start: Int, in bytes: inout [UInt8]) throws(SealedError) {
        _ = try sealer.seal(from: start, in: &bytes)
    }

    /// A packet of its own with some frames, for who says goodbye.
    mutating func packet(_ frames: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        guard (try? sealer.seal(frames.span, id: remoteID, to: &bytes)) != nil else { return nil }
        return bytes
    }

    /// Leaves out the next number if its turn has come; whether it did.
    mutating func skipIfDue() -> Bool {
        guard sealer.next == gapAt else { return false }
        sealer.skip(1)
        planGap(from: (gapAt / Self.numbersPerGap + 1) * Self.numbersPerGap)
        return true
    }

    /// Chooses the next number to be left out: one of those from a number to the end of its row.
    private mutating func planGap(from first: UInt64) {
        let row = first / Self.numbersPerGap * Self.numbersPerGap
        gapAt = max(first, row + UInt64(random.bytes(1, for: .identifier)[0]))
    }
}

// Keys.
extension HopSeal {
    /// The half of an exchange that is to be sent now, if one is.
    ///
    /// - Parameter wait: a probe timeout; it is doubled with each attempt, up to the longest wait.
    mutating func half(_ now: MonotonicInstant, wait: MicrosecondSpan) -> Half? {
        forgetIfDue(now)
        beginIfDue(now)
        guard let due = exchange?.sendAt, due <= now, let half = exchange?.half else { return nil }
        let next = min(wait * (1 << UInt64(min(exchange?.attempts ?? 0, 16))), RoundTrip.longestWait)
        let again = side == .client ? now + next : nil
        exchange?.sendAt = again
        exchange?.attempts += 1
        return half
    }

    /// When ``half(_:wait:)`` has something to send again; a relay's answer goes out with what is written next.
    var wake: MonotonicInstant? { side == .client ? exchange?.sendAt : nil }

    /// Whether a half may be part of this session: of the current generation again, or of the next one.
    func accepts(_ half: Half) -> Bool {
        if half.generation <= opener.generation { return true }
        guard half.generation == opener.generation + 1 else { return false }
        guard side == .relay else { return exchange?.half.generation == half.generation }
        guard let answered = exchange?.answered, exchange?.half.generation == half.generation else { return true }
        return answered.0 == half.key
    }

    /// Takes the other side's half, which was accepted.
    mutating func take(_ half: Half, _ now: MonotonicInstant) {
        guard half.generation == opener.generation + 1, half.generation == sealer.generation + 1 else { return }
        switch side {
        case .client:
            guard let own = exchange?.own, let shared = try? X25519.agree(own.secret, half.key),
                (try? opener.expect(mixing: shared)) != nil, (try? sealer.advance(mixing: shared)) != nil
            else { return }
            log?.replaced(ids, half.generation, shared)
            (exchange, keyBegan) = (nil, now)
        case .relay:
            if exchange?.half.generation == half.generation {
                exchange?.sendAt = now
                return
            }
            let own = X25519.generate(using: &random, for: .handshakeEphemeralPrivate)
            guard let shared = try? X25519.agree(own.secret, half.key),
                (try? opener.expect(mixing: shared)) != nil
            else { return }
            log?.replaced(ids, half.generation, shared)
            exchange = Exchange(
                own: own, half: Half(generation: half.generation, key: own.publicKey), answered: (half.key, shared),
                sendAt: now)
        }
    }

    /// The client begins when a key is old, and only after the exchange before is over on both sides.
    private mutating func beginIfDue(_ now: MonotonicInstant) {
        guard side == .client, exchange == nil, forgetAt == nil, opener.generation == sealer.generation else { return }
        guard sealer.isDue || opener.isDue || keyBegan + Self.keyLifetime <= now else { return }
        let own = X25519.generate(using: &random, for: .handshakeEphemeralPrivate)
        exchange = Exchange(
            own: own, half: Half(generation: sealer.generation + 1, key: own.publicKey), sendAt: now)
    }

    /// The first packet under the next key came.
    private mutating func moved(_ wait: MicrosecondSpan, _ now: MonotonicInstant) {
        forgetAt = now + wait * 3
        guard side == .relay, let shared = exchange?.answered?.1 else { return }
        if (try? sealer.advance(mixing: shared)) != nil { (exchange, keyBegan) = (nil, now) }
    }

    private mutating func forgetIfDue(_ now: MonotonicInstant) {
        guard let forgetAt, forgetAt <= now else { return }
        opener.forgetPrevious()
        self.forgetAt = nil
    }
}
