/// Who listens to one address, told one after the other that there is something new.
///
/// An address may have as many listeners as the relay has subscriptions, so telling them is done in turns, and what is
/// published meanwhile waits for the next round instead of beginning this one anew.
struct Audience: Sendable {
    /// A subscription of a session.
    struct Member: Hashable, Sendable {
        let session: Int
        let number: UInt32
    }

    private var members: [Member] = []
    private var places: [Member: Int] = [:]
    /// The members in places below it have not been told in this round.
    private var untold = 0
    private var wantsRound = false

    var isEmpty: Bool { members.isEmpty }
    /// Whether somebody is still to be told.
    var isCalled: Bool { untold > 0 || wantsRound }

    mutating func insert(_ member: Member) {
        guard places[member] == nil else { return }
        places[member] = members.count
        members.append(member)
    }

    mutating func remove(_ member: Member) {
        guard let place = places.removeValue(forKey: member), let last = members.popLast() else { return }
        if last != member {
            // The last one takes its place; if it was told, it may be told again, which does no harm.
            members[place] = last
            places[last] = place
        }
        untold = min(untold, members.count)
    }

    /// There is something new; returns whether nobody was being told.
    mutating func call() -> Bool {
        defer { wantsRound = true }
        return !isCalled
    }

    /// The next one to be told.
    mutating func next() -> Member? {
        if untold == 0, wantsRound { (untold, wantsRound) = (members.count, false) }
        guard untold > 0 else { return nil }
        untold -= 1
        return members[untold]
    }
}
