import ChatCrypto
import ChatModel

/// A relay's part of sealed hops: its key, and the handshakes under way.
struct SealedHop: Sendable {
    let own: KeyPair
    let log: HopKeyLog?
    var random: any RandomSource
    var halfOpen = HalfOpenTable()
    var load = HandshakeLoad()
    private let cookies: SealedCookies

    init(_ own: KeyPair, log: HopKeyLog?, random: any RandomSource) {
        (self.own, self.log, self.random) = (own, log, random)
        cookies = SealedCookies(key: self.random.secret(32, for: .secret))
    }

    /// A RESET of an id.
    func reset(_ id: UInt64) -> [UInt8] {
        SealedHandshake.header(.reset, id: id) + SealedHandshake.resetToken(of: id, relay: own)
    }

    /// Whether a HELLO must show a cookie, and shows none.
    func mustRetry(_ hello: Span<UInt8>, from peer: NetworkAddress, _ now: MonotonicInstant) -> Bool {
        load.isHigh(halfOpen: halfOpen.count, now) && !cookies.isProven(hello, from: peer, now)
    }

    /// The answer to such a HELLO.
    mutating func retry(
        _ hello: SealedHandshake.ReadHello, from peer: NetworkAddress, _ now: MonotonicInstant
    ) -> [UInt8]? {
        try? SealedHandshake.retry(
            hello, cookie: cookies.make(peer, now), nonce: random.bytes(24, for: .nonce), relay: own.publicKey)
    }

    /// An id that means nothing to others.
    mutating func draw() -> UInt64 {
        random.bytes(8, for: .identifier).bigEndian
    }
}

// Datagrams of sealed hops.
extension RelayCore {
    mutating func receiveSealed(
        _ bytes: Span<UInt8>, _ from: Correspondent, _ now: MonotonicInstant
    ) throws(UDPError) {
        switch try SealedHandshake.header(of: bytes).kind {
        case .hello: try greetSealed(bytes, from, now)
        case .packet: try receivePacket(bytes, from, now)
        case .retry, .welcome, .reset: counts.malformed += 1
        }
    }

    private mutating func greetSealed(
        _ bytes: Span<UInt8>, _ from: Correspondent, _ now: MonotonicInstant
    ) throws(UDPError) {
        guard var hop = hop.take() else { return }
        defer { self.hop = hop }
        let hello = try SealedHandshake.readHello(bytes, relay: hop.own.publicKey)
        hop.halfOpen.expire(now)
        let ephemeral = [UInt8](
            copying: bytes.extracting(hello.message.lowerBound..<hello.message.lowerBound + X25519.size))
        if let known = hop.halfOpen.entry(ephemeral: ephemeral, of: from.peer), known.client.session == from.session {
            return reply(.made(known.welcome), from)
        }
        guard !hop.mustRetry(bytes, from: from.peer, now) else {
            counts.retries += 1
            if let retry = hop.retry(hello, from: from.peer, now) { reply(.made(retry), from) }
            return
        }
        hop.load.note(now)
        let handshake: NoiseRelay
        do throws(CryptoError) {
            let prologue = SealedHandshake.prologue(id: hello.id)
            handshake = try NoiseRelay(prologue: prologue, own: hop.own, first: bytes.extracting(hello.message))
        } catch { throw .malformed("first message", at: SealedFormat.headerSize) }
        let client = try ClientParameters(handshake.payload.span)
        guard client.versions.contains(SealedFormat.version) else { throw .malformed("versions", at: 0) }
        let (id, isWelcome) = (hop.draw(), mayBegin(from.peer.host))
        let own = X25519.generate(using: &hop.random, for: .handshakeEphemeralPrivate)
        do throws(CryptoError) {
            let said =
                isWelcome
                ? welcome(id, token: SealedHandshake.resetToken(of: id, relay: hop.own))
                : .refused(limit: 1, milliseconds: 5_000)
            guard let payload = try? said.encoded() else { return }
            let (second, outcome) = try handshake.second(payload.span, ephemeral: own)
            guard let answer = try? SealedHandshake.welcome(id: hello.id, message: second) else { return }
            reply(.made(answer), from)
            guard isWelcome else {
                counts.turnedAway += 1
                return
            }
            let seal = try HopSeal(
                .relay, outcome, ids: (id, hello.id), random: hop.random, log: hop.log, now: now)
            hop.halfOpen.insert(
                HalfOpen(
                    client: from, ephemeral: ephemeral, seal: seal, window: Int(client.window), welcome: answer,
                    since: now))
        } catch { throw .malformed("first message", at: SealedFormat.headerSize) }
    }

    private func welcome(_ id: UInt64, token: [UInt8]) -> RelayParameters {
        .welcome(
            SealedWelcome(
                id: id, resetToken: token, largestDatagram: UInt16(UDPFormat.maximumDatagram),
                limits: Welcome(
                    epoch: history.epoch, limits: limits.delivery, window: limits.window, idle: limits.idle)))
    }

    /// A packet opens, or changes nothing.
    private mutating func receivePacket(
        _ bytes: Span<UInt8>, _ from: Correspondent, _ now: MonotonicInstant
    ) throws(UDPError) {
        let key = RelaySession.Key(session: from.session, peer: nil)
        guard let place = places[key], var session = sessions[place].take() else {
            return try beginSealed(bytes, from, key, now)
        }
        let opened: (number: UInt64, frames: [UInt8])
        do throws(SealedError) { opened = try session.link.open(bytes, now) } catch {
            sessions[place] = session
            return refused(error)
        }
        notePath(from, opened.number, bytes.count, &session, now)
        try receive(opened, session, place, key, from, now)
    }

    /// The first packet that opens begins the session.
    private mutating func beginSealed(
        _ bytes: Span<UInt8>, _ from: Correspondent, _ key: RelaySession.Key, _ now: MonotonicInstant
    ) throws(UDPError) {
        hop?.halfOpen.expire(now)
        guard let half = hop?.halfOpen.entry(from.session) else {
            counts.unknownSessions += 1
            if Datagram.mayBeHello(bytes), let reset = hop?.reset(from.session) { reply(.made(reset), from) }
            return
        }
        var seal = half.seal
        let opened: (number: UInt64, frames: [UInt8])
        do throws(SealedError) { opened = try seal.open(bytes, wait: RoundTrip.initial, now: now) } catch {
            return refused(error)
        }
        hop?.halfOpen.remove(from.session)
        guard begin(key, from, window: half.window, seal: seal, now), let place = places[key],
            let session = sessions[place].take()
        else {
            if let reset = hop?.reset(from.session) { reply(.made(reset), from) }
            return
        }
        try receive(opened, session, place, key, from, now)
    }

    private mutating func receive(
        _ opened: (number: UInt64, frames: [UInt8]), _ session: RelaySession, _ place: Int, _ key: RelaySession.Key,
        _ from: Correspondent, _ now: MonotonicInstant
    ) throws(UDPError) {
        do throws(UDPError) {
            try receive(opened.frames.span, opened.number, 0, session, place, now)
        } catch .acknowledgesUnsent(let number) {
            remove(key, saying: .closed)
            throw .acknowledgesUnsent(number)
        }
        guard places[key] == place else { return }
        if sessions[place]?.link.ending != nil { return remove(key, saying: nil) }
        if let value = sessions[place]?.link.response.take() { validated(value, place, from) }
    }

    private mutating func refused(_ error: SealedError) {
        if case .replayed = error { counts.repeatedPackets += 1 } else { counts.forged += 1 }
    }
}
