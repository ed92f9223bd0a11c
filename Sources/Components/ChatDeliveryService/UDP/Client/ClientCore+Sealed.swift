import ChatCrypto
import ChatModel

/// A client's half of a handshake with a sealed relay, until the relay's half comes.
struct SealedGreeting: Sendable {
    private let id: UInt64
    private let relay: PublicKey
    private let noise: NoiseClient
    private let message: [UInt8]
    /// From the last RETRY.
    var cookie: Secret?

    /// Nil if the relay's key is a low-order point, which gives an all-zero secret.
    init?(id: UInt64, relay: PublicKey, ephemeral: KeyPair, window: Int) {
        let parameters = ClientParameters(
            window: UInt32(clamping: window), largestDatagram: UInt16(UDPFormat.maximumDatagram))
        var noise = NoiseClient(prologue: SealedHandshake.prologue(id: id), relay: relay, ephemeral: ephemeral)
        do {
            let payload = try parameters.encoded()
            message = try noise.first(payload.span)
        } catch { return nil }
        (self.id, self.relay, self.noise) = (id, relay, noise)
    }

    /// The HELLO; its message is the same each time.
    var hello: [UInt8] {
        (try? SealedHandshake.hello(id: id, message: message, relay: relay, cookie: cookie)) ?? []
    }

    /// The cookie of a RETRY that answers this HELLO.
    func cookie(in retry: Span<UInt8>) throws(UDPError) -> Secret {
        let hello = hello
        return try SealedHandshake.cookie(in: retry, hello: hello.span, relay: relay)
    }

    /// What a WELCOME says, if it is the relay's.
    func answer(in welcome: Span<UInt8>) throws(UDPError) -> (RelayParameters, Noise.Outcome) {
        guard welcome.count == SealedHandshake.size else {
            throw .truncated(needed: max(0, SealedHandshake.size - welcome.count), at: welcome.count)
        }
        let (payload, outcome): ([UInt8], Noise.Outcome)
        do throws(CryptoError) {
            (payload, outcome) = try noise.second(welcome.extracting(SealedFormat.headerSize..<welcome.count))
        } catch { throw .malformed("second message", at: SealedFormat.headerSize) }
        return (try RelayParameters(payload.span), outcome)
    }
}

// A sealed hop: the relay is who has the key of its name.
extension ClientCore {
    /// Begins a handshake; nil in plain.
    mutating func greeting(id: UInt64) -> SealedGreeting? {
        guard let key else { return nil }
        let ephemeral = X25519.generate(using: &random, for: .handshakeEphemeralPrivate)
        return SealedGreeting(id: id, relay: key, ephemeral: ephemeral, window: configuration.window)
    }

    mutating func receiveSealed(_ bytes: Span<UInt8>, from peer: NetworkAddress, now: MonotonicInstant) {
        do throws(UDPError) {
            let (kind, id) = try SealedHandshake.header(of: bytes)
            switch phase {
            case .seeking(let seeking) where id == seeking.session && relays.contains(peer):
                try receive(kind, bytes, seeking, peer, now)
            case .joined(id, peer) where kind != .reset: try receive(kind, bytes, now)
            // A RESET has the id of what it answers, since its sender knows no other.
            case .joined(_, peer) where kind == .reset && id == link?.seal?.remoteID: try receive(kind, bytes, now)
            default: counts.foreign += 1
            }
        } catch .unknownVersion(let version) {
            otherVersion(version, bytes, peer)
        } catch {
            counts.malformed += 1
        }
    }

    /// Only the application is told, and only when no WELCOME comes: whoever is on the path can say this (UDP2-12).
    private mutating func otherVersion(_ version: UInt8, _ bytes: Span<UInt8>, _ peer: NetworkAddress) {
        guard case .seeking(var seeking) = phase, Datagram.session(bytes) == seeking.session, relays.contains(peer),
            version == UDPFormat.version, case .reset(.version, let versions)? = try? Datagram(bytes)
        else {
            counts.foreign += 1
            return
        }
        let list = versions.map(String.init).joined(separator: ", ")
        seeking.hint = .rejected("\(name) speaks version \(list), not \(SealedFormat.version); its hop is in plain")
        phase = .seeking(seeking)
    }

    private mutating func receive(
        _ kind: SealedHandshake.Kind, _ bytes: Span<UInt8>, _ seeking: Seeking, _ peer: NetworkAddress,
        _ now: MonotonicInstant
    ) throws(UDPError) {
        guard let greeting = seeking.greeting else { return }
        switch kind {
        case .retry:
            guard seeking.challenges < Self.challengesAnswered else { return }
            var next = seeking
            next.greeting?.cookie = try greeting.cookie(in: bytes)
            answerChallenge(next, of: peer, now)
        case .welcome:
            let (parameters, outcome) = try greeting.answer(in: bytes)
            switch parameters {
            case .welcome(let welcome): try join(welcome, outcome, seeking.session, peer, now)
            case .refused(_, let milliseconds): refused(.milliseconds(milliseconds), seeking, now)
            }
        case .hello, .reset, .packet: counts.unexpected += 1
        }
    }

    private mutating func join(
        _ welcome: SealedWelcome, _ outcome: Noise.Outcome, _ id: UInt64, _ relay: NetworkAddress,
        _ now: MonotonicInstant
    ) throws(UDPError) {
        guard welcome.versions.contains(SealedFormat.version) else { throw .malformed("versions", at: 0) }
        let seal: HopSeal
        do throws(CryptoError) {
            seal = try HopSeal(
                .client, outcome, ids: (id, welcome.id), random: random, log: keyLog, now: now)
        } catch { throw .malformed("keys", at: SealedFormat.headerSize) }
        resetToken = welcome.resetToken
        join(welcome.limits, id, relay, seal: seal, now)
    }

    /// Comes again after the time that the relay names, with another handshake.
    private mutating func refused(_ wait: Duration, _ seeking: Seeking, _ now: MonotonicInstant) {
        events.append(.turnedAway(.overloaded("\(name) has no room for another client", retryAfter: wait)))
        var next = seeking
        next.greeting = greeting(id: seeking.session)
        let pause = min(max(MicrosecondSpan(wait), MicrosecondSpan(Self.shortestPause)), Self.longestRefusal)
        next.nextHello = now + pause
        phase = .seeking(next)
    }

    private mutating func receive(
        _ kind: SealedHandshake.Kind, _ bytes: Span<UInt8>, _ now: MonotonicInstant
    ) throws(UDPError) {
        switch kind {
        case .packet:
            let opened: (number: UInt64, frames: [UInt8])
            do throws(SealedError) {
                guard let one = try link?.open(bytes, now) else { return }
                opened = one
            } catch {
                if case .replayed = error { counts.repeated += 1 } else { counts.malformed += 1 }
                return
            }
            do throws(UDPError) {
                try link?.receive(opened.frames.span, number: opened.number, framesAt: 0, room: .max, now: now)
            } catch .acknowledgesUnsent {
                return lose("\(name) acknowledges what was not sent", now)
            }
            takeMessages(now)
            if link?.ending != nil { lose("\(name) ended the session", now) }
        case .reset:
            guard bytes.count == SealedHandshake.resetSize,
                SealedHandshake.isEqual(bytes.extracting(SealedFormat.headerSize..<bytes.count), resetToken)
            else { throw .malformed("token", at: SealedFormat.headerSize) }
            lose("\(name) ended the session", now)
        case .welcome, .retry: return  // late copies
        case .hello: counts.unexpected += 1
        }
    }
}
