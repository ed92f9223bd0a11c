import ChatCrypto
package import ChatModel

/// A relay without sockets: datagrams and the time in, datagrams and the next time out.
///
/// Until a client has shown that it receives at its address, the relay keeps nothing about it and never sends more
/// than it got. Everything is bounded by ``RelayLimits``; what is refused is counted.
package struct RelayCore: Sendable {
    /// Answers to those who have no session, waiting to be sent; more are dropped.
    static let maximumReplies = 256
    /// Subscribers told and payloads read in one turn, after which datagrams are read again: half a millisecond.
    static let turn = 512
    /// Subscribers of one address told before the next address has its turn.
    static let callsOfAddress = 64

    enum Reply: Sendable {
        case challenge([UInt8]), welcome
        case reset(UDPFormat.ResetReason)
        case made([UInt8])
    }

    /// Who is answered, and from where.
    struct Correspondent: Sendable {
        let session: UInt64
        let peer: NetworkAddress
        let local: NetworkAddress?
    }

    let limits: RelayLimits
    private let cookies: Cookies
    /// The relay's part of sealed hops; nil where it speaks in plain.
    var hop: SealedHop?
    var history: History
    var recent: RecentIDs
    var hosts: HostTable
    var subscribers: [DeliveryAddress: Audience] = [:]
    /// Sessions by place; a place is empty while its session is being worked on.
    var sessions: [RelaySession?] = []
    private(set) var places: [RelaySession.Key: Int] = [:]
    private var freePlaces: [Int] = []
    private var replies: [(Reply, to: Correspondent)] = []
    private var dirty = Queue<Int>()
    /// Addresses with payloads of which not every subscriber was told.
    private var calling = Queue<DeliveryAddress>()
    private var timers = TimerQueue()
    private var heldBytes = 0
    private(set) var owedAnswers = 0
    var counts = RelayStatistics()

    /// A relay with a random epoch and cookie key.
    ///
    /// - Parameters:
    ///   - key: its static key, where hops are sealed; nil in plain.
    ///   - keyLog: where the keys of sealed sessions are written down.
    package init(
        _ limits: RelayLimits, key: KeyPair? = nil, keyLog: HopKeyLog? = nil, random: any RandomSource
    ) {
        var random = random
        self.limits = limits
        let epoch = random.bytes(8, for: .identifier).bigEndian
        cookies = Cookies(key: random.secret(32, for: .secret))
        var retention = limits.retention
        let largest = 64 + UDPFormat.maximumMessageHead + limits.delivery.maximumPayload
        retention = .init(
            payloads: max(1, retention.payloads), bytes: max(largest, retention.bytes), age: retention.age)
        history = History(
            epoch: epoch, retention: retention,
            totals: .init(bytes: max(largest, limits.totalBytes), addresses: max(1, limits.addresses)))
        recent = RecentIDs(capacity: limits.rememberedIDs)
        hosts = HostTable(limits)
        hop = key.map { SealedHop($0, log: keyLog, random: random) }
    }

    /// Its counters.
    package var statistics: RelayStatistics {
        var result = counts
        (result.sessions, result.addresses, result.retainedBytes) = (places.count, history.addressCount, history.bytes)
        (result.heldBytes, result.owedAnswers) = (heldBytes, owedAnswers)
        return result
    }
}

// Datagrams in.
extension RelayCore {
    /// Receives a datagram.
    ///
    /// - Parameter local: our address that it was sent to, where the answers must come from; nil if there is only one.
    package mutating func receive(
        _ bytes: Span<UInt8>, from peer: NetworkAddress, at local: NetworkAddress? = nil, now: MonotonicInstant
    ) {
        counts.datagramsIn += 1
        counts.bytesIn += UInt64(bytes.count)
        guard let session = Datagram.session(bytes) else {
            counts.malformed += 1
            return
        }
        let from = Correspondent(session: session, peer: peer, local: local)
        do throws(UDPError) {
            guard hop == nil else { return try receiveSealed(bytes, from, now) }
            let key = RelaySession.Key(session: session, peer: peer)
            switch try Datagram(bytes) {
            case .hello(let hello): greet(hello, key, from, now)
            case .data(let number, let offset): try receive(bytes, number, offset, key, from, now)
            case .reset: remove(key, saying: nil)
            case .challenge, .welcome: counts.malformed += 1
            }
        } catch .unknownVersion {
            counts.otherVersions += 1
            // Only what may be a hello: two relays of different versions would answer each other's answers for ever.
            if Datagram.mayBeHello(bytes) { reply(.reset(.version), from) }
        } catch .noRoom {
            counts.noRoom += 1
        } catch {
            counts.malformed += 1
        }
    }

    mutating func reply(_ reply: Reply, _ to: Correspondent) {
        guard replies.count < Self.maximumReplies else { return }
        replies.append((reply, to))
    }

    private mutating func greet(
        _ hello: Hello, _ key: RelaySession.Key, _ from: Correspondent, _ now: MonotonicInstant
    ) {
        guard places[key] == nil else { return reply(.welcome, from) }
        guard cookies.isGood(hello.cookie, session: key.session, peer: from.peer, now: now) else {
            return reply(.challenge(cookies.make(session: key.session, peer: from.peer, now: now)), from)
        }
        guard begin(key, from, window: Int(hello.window), seal: nil, now) else { return reply(.reset(.full), from) }
        reply(.welcome, from)
    }

    /// Begins a session, if there is room for one.
    mutating func begin(
        _ key: RelaySession.Key, _ from: Correspondent, window: Int, seal: HopSeal?, _ now: MonotonicInstant
    ) -> Bool {
        makeRoomForSession(from.peer.host)
        guard places.count < limits.sessions, hosts.enter(from.peer.host) else {
            counts.turnedAway += 1
            return false
        }
        let link = Link(
            .init(
                session: key.session,
                maximumMessage: limits.delivery.maximumPayload + UDPFormat.maximumMessageHead,
                receiveWindow: limits.window, sendWindow: window), seal: seal, now: now)
        let place = freePlaces.popLast() ?? sessions.count
        if place == sessions.count { sessions.append(nil) }
        sessions[place] = RelaySession(key, of: from.peer, at: from.local, link)
        places[key] = place
        counts.opened += 1
        schedule(place)
        return true
    }

    private mutating func receive(
        _ bytes: Span<UInt8>, _ number: UInt64, _ offset: Int, _ key: RelaySession.Key, _ from: Correspondent,
        _ now: MonotonicInstant
    ) throws(UDPError) {
        guard let place = places[key], let session = sessions[place].take() else {
            counts.unknownSessions += 1
            if Datagram.mayBeHello(bytes) { reply(.reset(.unknown), from) }
            return
        }
        try receive(bytes, number, offset, session, place, now)
    }

    /// Receives a packet of a session that was taken out of its place.
    mutating func receive(
        _ bytes: Span<UInt8>, _ number: UInt64, _ offset: Int, _ taken: RelaySession, _ place: Int,
        _ now: MonotonicInstant
    ) throws(UDPError) {
        var session = taken
        let host = session.peer.host
        defer {
            count(&session)
            if !session.isDirty { dirty.append(place) }
            session.isDirty = true
            sessions[place] = session
            makeRoomForAnswers()
        }
        let held = session.link.heldBytes
        let room = reads(session) ? limits.heldBytes - heldBytes : -1
        do throws(UDPError) {
            try session.link.receive(bytes, number: number, framesAt: offset, room: room, now: now)
        } catch {
            if case .noRoom(let needed) = error, room >= 0, needed > room { makeRoomForPieces(host, needed) }
            throw error
        }
        let change = session.link.heldBytes - held
        if change != 0 {
            heldBytes += change
            hosts.hold(host, change)
        }
        for message in session.link.takeMessages() { handle(message, place, &session, now) }
    }

    /// Whether requests of a client are read: not while it leaves too many answers where they are.
    private func reads(_ session: RelaySession) -> Bool {
        guard session.countedAnswers >= OwedAnswers.always else { return true }
        return session.countedAnswers < OwedAnswers.most
            && hosts.owedAnswers(session.peer.host) < OwedAnswers.mostOfHost
    }

    /// Brings the totals up to what a client is owed now.
    private mutating func count(_ session: inout RelaySession) {
        let change = session.owedAnswers() - session.countedAnswers
        guard change != 0 else { return }
        session.countedAnswers += change
        owedAnswers += change
        hosts.owe(session.peer.host, change)
    }
}

// Time and datagrams out.
extension RelayCore {
    /// When ``tick(_:)`` or ``write(into:now:)`` has something to do; the past while a turn has left something over.
    package var wake: MonotonicInstant? { dirty.isEmpty && calling.isEmpty ? timers.next : .zero }

    /// Does what is due: repeats what was lost, drops clients that are gone.
    package mutating func tick(_ now: MonotonicInstant) {
        history.sweep(now)
        while let place = timers.popDue(now) {
            guard sessions[place]?.scheduled.map({ $0 <= now }) == true, var session = sessions[place].take() else {
                continue
            }
            session.scheduled = nil
            session.link.tick(now)
            if !session.isDirty { dirty.append(place) }
            session.isDirty = true
            let isGone = session.isGone(limits, now)
            sessions[place] = session
            schedule(place)
            guard isGone else { continue }
            counts.expired += 1
            remove(session.key, saying: .unknown)
        }
    }

    private mutating func schedule(_ place: Int) {
        guard let due = sessions[place]?.due(limits) else { return }
        sessions[place]?.scheduled = due
        timers.insert(place, at: due)
    }

    /// Writes what is to be sent, as far as the batch has room and one turn goes; ``wake`` says whether more is left.
    package mutating func write(into batch: inout DatagramBatch, now: MonotonicInstant) {
        let (before, bytesBefore) = (batch.count, batch.bytes.count)
        defer {
            counts.datagramsOut += UInt64(batch.count - before)
            counts.bytesOut += UInt64(batch.bytes.count - bytesBefore)
        }
        writeReplies(into: &batch)
        callSubscribers()
        var budget = Self.turn
        while !batch.isFull, budget > 0, let place = dirty.popFirst() {
            budget -= 1
            guard var session = sessions[place].take() else { continue }
            session.isDirty = write(&session, into: &batch, &budget, now)
            count(&session)
            sessions[place] = session
            if session.isDirty { dirty.append(place) }
            schedule(place)
        }
    }

    /// Writes what one client gets; returns whether there is more, which the others do not wait for.
    private mutating func write(
        _ session: inout RelaySession, into batch: inout DatagramBatch, _ budget: inout Int, _ now: MonotonicInstant
    ) -> Bool {
        while !batch.isFull {
            let count = batch.count
            let isCutShort = session.fill(from: &history, &counts, budget: &budget, now: now)
            session.link.write(into: &batch, to: session.peer, from: session.local, now: now)
            if isCutShort { return true }
            guard batch.count > count else { return false }
        }
        return true
    }

    private mutating func writeReplies(into batch: inout DatagramBatch) {
        var written = 0
        for (reply, to) in replies {
            let (session, peer, local) = (to.session, to.peer, to.local)
            guard !batch.isFull else { break }
            written += 1
            switch reply {
            case .challenge(let cookie): batch.challenge(cookie, session: session, peer: peer, from: local)
            case .welcome:
                Welcome(epoch: history.epoch, limits: limits.delivery, window: limits.window, idle: limits.idle)
                    .write(to: &batch, session: session, peer: peer, from: local)
            case .reset(let reason):
                let version = hop == nil ? UDPFormat.version : SealedFormat.version
                batch.reset(reason, session: session, peer: peer, from: local, speaking: version)
            case .made(let datagram): batch.append(datagram, to: peer, from: local)
            }
        }
        replies.removeFirst(written)
    }

    /// There is a new payload on an address.
    mutating func call(_ address: DeliveryAddress) {
        if subscribers[address]?.call() == true { calling.append(address) }
    }

    /// Tells subscribers of new payloads, as many as one turn goes: a few of each address at a time.
    private mutating func callSubscribers() {
        var budget = Self.turn
        while budget > 0, let address = calling.popFirst() {
            for _ in 0..<Self.callsOfAddress {
                guard let member = subscribers[address]?.next() else { break }
                budget -= 1
                sessions[member.session]?.makeReady(member.number)
                guard sessions[member.session]?.isDirty == false else { continue }
                sessions[member.session]?.isDirty = true
                dirty.append(member.session)
            }
            budget -= 1
            if subscribers[address]?.isCalled == true { calling.append(address) }
        }
    }

    /// Ends every session.
    package mutating func close() {
        // Everybody is told, however many they are.
        for key in Array(places.keys) {
            if let goodbye = remove(key) { replies.append(goodbye(.closed)) }
        }
    }

    /// Ends a session, and says why.
    mutating func remove(_ key: RelaySession.Key, saying reason: UDPFormat.ResetReason?) {
        guard let goodbye = remove(key), let reason else { return }
        let (answer, to) = goodbye(reason)
        reply(answer, to)
    }

    /// Ends a session; returns what its client is to be told.
    private mutating func remove(
        _ key: RelaySession.Key
    ) -> ((UDPFormat.ResetReason) -> (Reply, to: Correspondent))? {
        guard let place = places.removeValue(forKey: key), let session = sessions[place].take() else { return nil }
        let host = session.peer.host
        freePlaces.append(place)
        heldBytes -= session.link.heldBytes
        hosts.hold(host, -session.link.heldBytes)
        counts.lostPackets += session.link.lostPackets
        counts.subscriptions -= session.subscriptions.count
        hosts.subscribe(host, -session.subscriptions.count)
        for (number, subscription) in session.subscriptions {
            forget(.init(session: place, number: number), on: subscription.address)
        }
        owedAnswers -= session.countedAnswers
        hosts.owe(host, -session.countedAnswers)
        hosts.leave(host)
        let to = Correspondent(session: key.session, peer: session.peer, local: session.local)
        var link = session.link
        return { reason in (link.goodbye(reason).map { .made($0) } ?? .reset(reason), to) }
    }

    mutating func forget(_ subscriber: Audience.Member, on address: DeliveryAddress) {
        subscribers[address]?.remove(subscriber)
        if subscribers[address]?.isEmpty == true { subscribers[address] = nil }
    }
}
