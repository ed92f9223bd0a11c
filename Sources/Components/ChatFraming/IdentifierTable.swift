import ChatModel

/// Whose each identifier is: one look-up for all routes of a client, and windows that say which are kept.
struct IdentifierTable: Sendable {
    /// A route under one secret.
    private struct Lane: Sendable {
        let listening: Listening
        let owner: Owner
        let key: RouteIdentifier.Key
        /// Nil for a route whose payloads are not counted alone.
        var window: IdentifierWindow?
    }

    /// Where an identifier leads.
    private struct Place: Sendable {
        let lane: Int32
        let sequence: UInt64
    }

    private var places: [RouteIdentifier: Place] = [:]
    /// By number; those of ended lanes are used again.
    private var lanes: [Lane?] = []
    private var free: [Int] = []
    /// In the order in which secrets are used.
    private var numbers: [Owner: [Int]] = [:]
    /// Lanes on each address, and those of them that take identifiers with a salt.
    private var all: [DeliveryAddress: Set<Int>] = [:]
    private var salted: [DeliveryAddress: [Int]] = [:]

    /// How many lanes an address may have for an unknown identifier to be tried with the key of each (RPIV1-10).
    static let maximumTried = 32

    init() {}

    /// How many identifiers are kept.
    var count: Int { places.count }

    /// Whom an identifier on an address leads to.
    func find(
        _ identifier: RouteIdentifier, on address: DeliveryAddress
    ) -> (route: Route, owner: Owner, sequence: UInt64)? {
        // The address is part of what an identifier is derived from.
        if let place = places[identifier], let lane = lanes[Int(place.lane)] {
            guard lane.listening.address == address else { return nil }
            return (lane.listening.route, lane.owner, place.sequence)
        }
        if triesAll(on: address) {
            for number in all[address] ?? [] { if let found = read(identifier, number) { return found } }
        }
        for number in salted[address] ?? [] {
            guard let lane = lanes[number], lane.key.identifier(salt: identifier.salt) == identifier else { continue }
            return (lane.listening.route, lane.owner, 0)
        }
        return nil
    }

    private func triesAll(on address: DeliveryAddress) -> Bool { all[address]?.count ?? 0 <= Self.maximumTried }

    /// Reads the sequence out of an identifier that is in no window: after a long loss it is far ahead.
    private func read(
        _ identifier: RouteIdentifier, _ number: Int
    ) -> (route: Route, owner: Owner, sequence: UInt64)? {
        guard let lane = lanes[number], let window = lane.window,
            let sequence = lane.key.sequence(of: identifier), window.admits(sequence)
        else { return nil }
        return (lane.listening.route, lane.owner, sequence)
    }

    /// Replaces what an owner listens to; what stays keeps its window, and gives up what the machine gave up.
    mutating func listen(_ listening: [Listening], for owner: Owner) {
        var before = numbers.removeValue(forKey: owner) ?? []
        var after: [Int] = []
        for one in listening {
            if let index = before.firstIndex(where: { lanes[$0]?.listening == one }) {
                let number = before.remove(at: index)
                _ = change(number) { $0.giveUp(below: one.window.lowestWanted) }
                after.append(number)
            } else {
                after.append(add(one, for: owner))
            }
        }
        for number in before { remove(number) }
        if !after.isEmpty { numbers[owner] = after }
    }

    /// Uses up an identifier and moves the windows of its route, under all secrets.
    ///
    /// - Returns: whether a payload may be found now that was not before.
    mutating func accept(_ routed: Routed, for owner: Owner) -> Bool {
        guard routed.sequence > 0, let all = numbers[owner] else { return false }
        let same = all.filter { number in
            guard let listening = lanes[number]?.listening else { return false }
            return listening.address == routed.address && listening.route.id == routed.route.id
        }
        // Nil where the machine gave up the secret with this payload: all others are used later.
        let used = same.firstIndex { lanes[$0]?.listening.route == routed.route }
        var isMore = false
        for (index, number) in same.enumerated() {
            let added = change(number) { window in
                if index == used { return window.accept(routed.sequence) }
                return index < used ?? 0 ? window.close(at: routed.sequence) : window.advance(to: routed.sequence)
            }
            isMore = isMore || added
        }
        return isMore && !triesAll(on: routed.address)
    }

    private mutating func add(_ listening: Listening, for owner: Owner) -> Int {
        let number = free.popLast() ?? lanes.count
        if number == lanes.count { lanes.append(nil) }
        let key = RouteIdentifier.Key(listening.address, listening.route)
        var lane = Lane(listening: listening, owner: owner, key: key)
        if listening.route.secret != nil {
            let window = IdentifierWindow(listening.window)
            for sequence in window.active { insert(key.identifier(sequence), number, sequence) }
            lane.window = window
        }
        all[listening.address, default: []].insert(number)
        if listening.window.lowestWanted == 0 { salted[listening.address, default: []].append(number) }
        lanes[number] = lane
        return number
    }

    private mutating func remove(_ number: Int) {
        guard let lane = lanes[number] else { return }
        for sequence in lane.window?.active ?? [] { drop(lane.key.identifier(sequence), number) }
        all[lane.listening.address]?.remove(number)
        if all[lane.listening.address]?.isEmpty == true { all[lane.listening.address] = nil }
        if lane.listening.window.lowestWanted == 0 {
            salted[lane.listening.address]?.removeAll { $0 == number }
            if salted[lane.listening.address]?.isEmpty == true { salted[lane.listening.address] = nil }
        }
        lanes[number] = nil
        free.append(number)
    }

    /// Moves a window and follows it; returns whether identifiers were added.
    private mutating func change(
        _ number: Int, _ move: (inout IdentifierWindow) -> IdentifierWindow.Change
    ) -> Bool {
        guard let key = lanes[number]?.key, var window = lanes[number]?.window else { return false }
        // The window has no other reference, so it is changed in place.
        lanes[number]?.window = nil
        let change = move(&window)
        lanes[number]?.window = window
        for sequence in change.removed { drop(key.identifier(sequence), number) }
        for sequence in change.added { insert(key.identifier(sequence), number, sequence) }
        return !change.added.isEmpty
    }

    private mutating func insert(_ identifier: RouteIdentifier, _ number: Int, _ sequence: UInt64) {
        places[identifier] = Place(lane: Int32(truncatingIfNeeded: number), sequence: sequence)
    }

    /// Removes an identifier unless another lane has it too: two owners may listen to one route.
    private mutating func drop(_ identifier: RouteIdentifier, _ number: Int) {
        guard let place = places[identifier], Int(place.lane) == number else { return }
        places[identifier] = nil
    }
}
