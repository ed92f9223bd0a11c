/// The demands of all fragments of one packet on a receiver.
///
/// A packet is taken whole or not at all (UDP-7), and each of its fragments changes what the next one meets: two of one
/// message may contradict each other, and many that each find room may find none together. So each is checked against
/// the receiver as the fragments before it will have changed it.
struct PacketCheck {
    /// Bytes that may be held in addition to what is held; below zero nothing new is taken, be it ever so small.
    private let room: Int
    private var fragments: [Fragment] = []
    /// Messages of one fragment that are handed on as soon as the packet is applied.
    private var released: [UInt64] = []
    /// The bytes that the fragments so far make the receiver hold.
    private var cost = 0
    /// The bytes needed by the fragments up to the first one that finds no room; the others are checked nevertheless.
    private(set) var shortage: Int?

    init(room: Int) {
        self.room = room
    }

    /// Checks the next fragment; throws if the packet must be refused whatever room there is.
    mutating func check(_ fragment: Fragment, by receiver: MessageReceiver) throws(UDPError) {
        guard try receiver.isWanted(fragment) else { return }
        var (isBegun, isRepeated) = (false, false)
        for other in fragments where other.message == fragment.message {
            guard other.isOfSameMessage(as: fragment) else { throw .contradiction(message: fragment.message) }
            isBegun = true
            if other.index == fragment.index { isRepeated = true }
        }
        fragments.append(fragment)
        guard !isRepeated else { return }
        let needed = receiver.cost(of: fragment, isBegun: isBegun, after: released)
        if needed == 0 { released.append(fragment.message) }
        cost += needed
        if shortage == nil, cost > room || !receiver.hasRoom(cost, for: fragment) { shortage = cost }
    }
}

extension Fragment {
    /// Whether two fragments of one message may both be.
    func isOfSameMessage(as other: Fragment) -> Bool { total == other.total && distance == other.distance }
}
