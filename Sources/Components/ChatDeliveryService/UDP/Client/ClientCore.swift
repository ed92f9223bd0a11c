package import ChatModel

/// A client of a relay without sockets: requests, datagrams and the time in, events, datagrams and the next time out.
///
/// It outlives sessions: when the relay is lost, it is sought until it is back, and then gets the subscriptions
/// (each from the last payload that found room) and the publishes that were not answered.
package struct ClientCore: Sendable {
    /// Challenges answered before the next attempt, at most: a lying relay could send them all day.
    static let challengesAnswered = 3
    /// A lying relay cannot stop a client for longer.
    static let longestRefusal = MicrosecondSpan(60_000_000)
    /// A session that lasted so long was a good one; who loses shorter ones waits longer and longer for the next.
    static let goodSession = MicrosecondSpan(30_000_000)

    enum Phase: Sendable {
        case seeking(Seeking)
        case joined(session: UInt64, relay: NetworkAddress)
        case closed
    }

    /// An attempt to get a session.
    struct Seeking: Sendable {
        let session: UInt64
        /// Which of the relay's addresses is tried.
        var candidate: Int
        var cookie: [UInt8] = []
        var challenges = 0
        /// Whether the next hello answers a challenge.
        var isChallenged = false
        var interval: MicrosecondSpan
        var nextHello: MonotonicInstant
        /// The handshake of a sealed hop; nil in plain.
        var greeting: SealedGreeting?
        /// What somebody in the place of a sealed relay said, which proves nothing.
        var hint: DeliveryError?
    }

    let configuration: UDPConfiguration
    let name: String
    private(set) var relays: [NetworkAddress]
    var random: any RandomSource
    var phase: Phase
    /// The static key of a sealed relay; nil in plain.
    let key: PublicKey?
    /// Where the keys of sealed sessions are written down, if they are.
    let keyLog: HopKeyLog?
    /// Proves a RESET of the session's id.
    var resetToken: [UInt8] = []
    /// The link of the session, if there is one.
    var link: Link?
    /// Of the relay's current start.
    var epoch: UInt64 = 0
    /// Of the relay's current session, in bytes; what a relay that is sought will take is not known.
    var largestPayload = Int.max
    private var isInterrupted = false
    private var joinedAt = MonotonicInstant.zero
    /// Sessions in a row that did not last.
    private var shortSessions = 0
    private var goodbye: (session: UInt64, relay: NetworkAddress)?
    private var lastPacket: (packet: [UInt8], relay: NetworkAddress)?
    var publishes = PublishTable()
    var subscriptions = SubscriptionTable()
    var events: [ClientEvent] = []
    var counts = ClientStatistics()

    /// A client that seeks a relay.
    ///
    /// - Parameters:
    ///   - name: the relay's name for errors.
    ///   - relays: the addresses under which the relay may be reached; with none it waits for ``reach(at:)``.
    ///   - key: the relay's static key, of a sealed hop; nil in plain.
    ///   - keyLog: where keys are written down for who inspects the traffic.
    package init(
        name: String, relays: [NetworkAddress], key: PublicKey? = nil, keyLog: HopKeyLog? = nil,
        _ configuration: UDPConfiguration, random: any RandomSource, now: MonotonicInstant
    ) {
        (self.name, self.relays, self.configuration, self.random) = (name, relays, configuration, random)
        (self.key, self.keyLog) = (key, keyLog)
        phase = .closed
        seek(now)
    }

    /// Whether there is no session, and the relay's name is to be looked up again.
    package var isSeeking: Bool { if case .seeking = phase { true } else { false } }

    /// Seeks the relay under other addresses from now on; a session that there is goes on (UDP-24).
    package mutating func reach(at addresses: [NetworkAddress]) {
        guard !addresses.isEmpty, addresses != relays else { return }
        relays = addresses
        guard case .seeking(var seeking) = phase else { return }
        // A cookie is one relay address's.
        (seeking.candidate, seeking.cookie, seeking.challenges, seeking.isChallenged) = (0, [], 0, false)
        seeking.greeting?.cookie = nil
        phase = .seeking(seeking)
    }

    /// Takes what happened since the last time.
    package mutating func takeEvents() -> [ClientEvent] {
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    /// Its counters.
    package var statistics: ClientStatistics {
        var result = counts
        result.lostPackets += link?.lostPackets ?? 0
        return result
    }

    private mutating func seek(_ now: MonotonicInstant) {
        let session = random.bytes(8, for: .identifier).bigEndian
        let interval = pause ?? MicrosecondSpan(configuration.seekingInterval.lowerBound)
        phase = .seeking(
            Seeking(
                session: session, candidate: 0, interval: interval,
                nextHello: pause.map { now + jittered($0) } ?? now, greeting: greeting(id: session)))
    }

    /// How long to wait before the next session is sought; nil before the first.
    private var pause: MicrosecondSpan? {
        guard shortSessions > 0 else { return nil }
        let (least, most) = (configuration.seekingInterval.lowerBound, configuration.seekingInterval.upperBound)
        return min(MicrosecondSpan(least) * (1 << UInt64(min(shortSessions - 1, 16))), MicrosecondSpan(most))
    }

    /// A little chance keeps the clients of a relay that restarts from coming all at once.
    private mutating func jittered(_ interval: MicrosecondSpan) -> MicrosecondSpan {
        MicrosecondSpan(interval.count + interval.count / 4 * UInt64(random.bytes(1, for: .identifier)[0]) / 255)
    }

    /// The session is over: everything that was not answered waits for the next one.
    mutating func lose(_ reason: String, _ now: MonotonicInstant) {
        guard let lost = link.take() else { return }
        counts.lostPackets += lost.lostPackets
        publishes.forgetMessages()
        subscriptions.forgetNumbers()
        events.append(.interrupted(reason))
        isInterrupted = true
        shortSessions = now.since(joinedAt) < Self.goodSession ? shortSessions + 1 : 1
        seek(now)
    }

    /// Ends everything; what was not answered fails.
    package mutating func close() {
        if case .joined(let session, let relay) = phase {
            if key == nil { goodbye = (session, relay) }
            if let packet = link?.goodbye(.closed) { lastPacket = (packet, relay) }
        }
        (phase, link) = (.closed, nil)
        for token in publishes.removeAll() { events.append(.published(token: token, .failure(.closed))) }
        for key in subscriptions.removeAll() { events.append(.subscribed(key: key, .failure(.closed))) }
    }
}

// Datagrams in.
extension ClientCore {
    /// Receives a datagram.
    package mutating func receive(_ bytes: Span<UInt8>, from peer: NetworkAddress, now: MonotonicInstant) {
        counts.datagramsIn += 1
        guard key == nil else { return receiveSealed(bytes, from: peer, now: now) }
        do throws(UDPError) {
            let datagram = try Datagram(bytes)
            guard let session = Datagram.session(bytes) else { return }
            switch phase {
            case .seeking(let seeking) where session == seeking.session && relays.contains(peer):
                receive(datagram, seeking, peer, now)
            case .joined(session, peer):
                try receive(datagram, bytes, now)
            default: counts.foreign += 1
            }
        } catch {
            counts.malformed += 1
        }
    }

    private mutating func receive(
        _ datagram: Datagram, _ seeking: Seeking, _ peer: NetworkAddress, _ now: MonotonicInstant
    ) {
        switch datagram {
        case .challenge(let cookie):
            guard cookie != seeking.cookie, seeking.challenges < Self.challengesAnswered else { return }
            var next = seeking
            next.cookie = cookie
            answerChallenge(next, of: peer, now)
        case .welcome(let welcome): join(welcome, seeking.session, peer, now)
        case .reset(.full, _):
            events.append(.turnedAway(.overloaded("\(name) has no room for another client", retryAfter: .seconds(1))))
        case .reset(.version, let versions):
            let list = versions.map(String.init).joined(separator: ", ")
            let advice = versions.contains(SealedFormat.version) ? "; its hop is sealed, so name it with its key" : ""
            events.append(.turnedAway(.rejected("\(name) speaks version \(list), not \(UDPFormat.version)\(advice)")))
        case .reset, .hello, .data: counts.unexpected += 1
        }
    }

    /// The next hello shows the cookie that came.
    mutating func answerChallenge(_ seeking: Seeking, of peer: NetworkAddress, _ now: MonotonicInstant) {
        var next = seeking
        next.candidate = relays.firstIndex(of: peer) ?? seeking.candidate
        (next.challenges, next.nextHello, next.isChallenged) = (seeking.challenges + 1, now, true)
        phase = .seeking(next)
    }

    mutating func join(
        _ welcome: Welcome, _ session: UInt64, _ relay: NetworkAddress, seal: HopSeal? = nil, _ now: MonotonicInstant
    ) {
        let third = MicrosecondSpan(UInt64(welcome.idleMilliseconds) * 1_000 / 3)
        phase = .joined(session: session, relay: relay)
        link = Link(
            .init(
                session: session, maximumMessage: Int(welcome.maximumPayload) + UDPFormat.maximumMessageHead,
                receiveWindow: configuration.window, sendWindow: Int(welcome.window),
                keepAlive: max(MicrosecondSpan(100_000), min(MicrosecondSpan(configuration.keepAlive), third))),
            seal: seal, now: now)
        // A relay that is sealed begins the session when the first packet opens.
        if seal != nil { link?.ping() }
        (epoch, joinedAt, largestPayload) = (welcome.epoch, now, Int(welcome.maximumPayload))
        counts.joined += 1
        events.append(.joined(welcome))
        if isInterrupted { events.append(.resumed) }
        isInterrupted = false
        for key in subscriptions.keys { sendSubscribe(key) }
        for place in publishes.waiting { sendPublish(place) }
    }

    private mutating func receive(_ datagram: Datagram, _ bytes: Span<UInt8>, _ now: MonotonicInstant) throws(UDPError)
    {
        switch datagram {
        case .data(let number, let offset):
            try link?.receive(bytes, number: number, framesAt: offset, room: .max, now: now)
            takeMessages(now)
        case .reset: lose("\(name) ended the session", now)
        case .welcome, .challenge: return  // late copies
        case .hello: counts.unexpected += 1
        }
    }
}

extension ClientCore {
    mutating func takeMessages(_ now: MonotonicInstant) {
        for message in link?.takeMessages() ?? [] { handle(message, now) }
    }
}

// Time and datagrams out.
extension ClientCore {
    /// When ``tick(_:)`` has something to do.
    package var wake: MonotonicInstant? {
        let times = [phaseWake, publishes.deadline, subscriptions.deadline]
        return times.compactMap(\.self).min()
    }

    private var phaseWake: MonotonicInstant? {
        switch phase {
        case .seeking(let seeking): seeking.nextHello
        case .joined: link?.wake
        case .closed: nil
        }
    }

    /// Does what is due: repeats, gives up what is overdue, notices that the relay is lost.
    package mutating func tick(_ now: MonotonicInstant) {
        let unreachable = DeliveryError.unreachable(name, after: configuration.deadline)
        for token in publishes.removeDue(now) { events.append(.published(token: token, .failure(unreachable))) }
        for key in subscriptions.due(now) {
            unsubscribe(key)
            events.append(.subscribed(key: key, .failure(unreachable)))
        }
        for key in subscriptions.dueAgain(now) { sendSubscribe(key) }
        link?.tick(now)
        if let link, link.silence(now) > MicrosecondSpan(configuration.patience) {
            lose("\(name) does not answer", now)
        }
        if link?.isSpent == true { lose("the keys of the session with \(name) are used up", now) }
    }

    /// Writes what is to be sent, as far as the batch has room; nothing is left if it is not full afterwards.
    package mutating func write(into batch: inout DatagramBatch, now: MonotonicInstant) {
        if let (session, relay) = goodbye {
            batch.reset(.closed, session: session, peer: relay)
            goodbye = nil
        }
        if let (packet, relay) = lastPacket.take() { batch.append(packet, to: relay) }
        switch phase {
        case .closed: return
        case .joined(_, let relay): link?.write(into: &batch, to: relay, now: now)
        case .seeking(let seeking): if seeking.nextHello <= now { hello(seeking, into: &batch, now) }
        }
    }

    private mutating func hello(_ seeking: Seeking, into batch: inout DatagramBatch, _ now: MonotonicInstant) {
        if relays.indices.contains(seeking.candidate) {
            let relay = relays[seeking.candidate]
            if let greeting = seeking.greeting {
                batch.append(greeting.hello, to: relay)
            } else if key == nil {
                Hello(window: UInt32(clamping: configuration.window), cookie: seeking.cookie)
                    .write(to: &batch, session: seeking.session, peer: relay)
            }
        }
        var next = seeking
        if let hint = next.hint.take() { events.append(.turnedAway(hint)) }
        next.nextHello = now + jittered(seeking.interval)
        next.isChallenged = false
        defer { phase = .seeking(next) }
        guard !seeking.isChallenged else { return }
        next.challenges = 0
        next.interval = min(seeking.interval * 2, MicrosecondSpan(configuration.seekingInterval.upperBound))
        guard relays.count > 1 else { return }
        // A cookie is one relay address's; without an answer the next address has its turn.
        (next.candidate, next.cookie) = ((seeking.candidate + 1) % relays.count, [])
        next.greeting?.cookie = nil
    }
}
