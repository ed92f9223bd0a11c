import ChatModel

/// The messages of one direction of a session on the receiving side: put together, each once, and in the order that
/// they ask for. Bounded in messages and bytes, whatever the other side sends.
struct MessageReceiver: Sendable {
    /// A message that is complete and whose turn it is.
    struct Message: Sendable {
        let number: UInt64
        let bytes: Bytes
    }

    private struct Partial: Sendable {
        let total: Int
        let distance: UInt32
        var missing: Int
        /// The bytes of the first pieces up to the first gap; may take up to twice their size while it grows.
        var start: [UInt8] = []
        /// How many pieces these are.
        var started = 0
        /// Pieces behind a gap.
        var later: [Int: [UInt8]] = [:]
        var cost: Int

        func has(_ index: Int) -> Bool { index < started || later[index] != nil }

        /// Takes a piece that it does not have.
        mutating func add(_ bytes: Span<UInt8>, at index: Int) {
            missing -= 1
            cost += bytes.count
            guard index == started else { return later[index] = [UInt8](copying: bytes) }
            start.append(bytes)
            started += 1
            while !later.isEmpty, let next = later.removeValue(forKey: started) {
                start += next
                started += 1
            }
        }
    }

    private enum Slot: Sendable {
        case partial(Partial)
        /// Complete, but waits for another one.
        case waiting(Bytes, distance: UInt32)
        case released
    }

    let maximumMessage: Int
    let window: Int
    /// Everything below was released.
    private(set) var base: UInt64 = 0
    private var slots: [UInt64: Slot] = [:]
    private var dependents: [UInt64: [UInt64]] = [:]
    /// The bytes that incomplete and waiting messages occupy.
    private(set) var heldBytes = 0
    /// Messages to be handed on.
    private var ready: [Message] = []

    init(maximumMessage: Int, window: Int) {
        (self.maximumMessage, self.window) = (maximumMessage, window)
    }

    /// The overhead of a held message beside its bytes.
    private static func overhead(_ fragments: Int) -> Int { 128 + 16 * fragments }

    /// Whether a piece says something new; throws if it can never be taken.
    func isWanted(_ fragment: Fragment) throws(UDPError) -> Bool {
        guard fragment.total <= maximumMessage else { throw .tooLong(fragment.total, limit: maximumMessage) }
        guard fragment.message >= base else { return false }
        let ahead = fragment.message - base
        guard ahead < UDPFormat.maximumAhead else { throw .tooFarAhead(ahead, limit: UDPFormat.maximumAhead) }
        switch slot(fragment.message) {
        case nil: return true
        case .released: return false
        case .waiting(let bytes, let distance):
            guard bytes.count == fragment.total, distance == fragment.distance else {
                throw .contradiction(message: fragment.message)
            }
            return false
        case .partial(let partial):
            guard partial.total == fragment.total, partial.distance == fragment.distance else {
                throw .contradiction(message: fragment.message)
            }
            return !partial.has(fragment.index)
        }
    }

    /// The bytes that holding a wanted piece costs; 0 for a message that is handed on at once.
    ///
    /// - Parameters:
    ///   - isBegun: whether an earlier piece of the same packet begins its message.
    ///   - released: messages that earlier pieces of the same packet release.
    func cost(of fragment: Fragment, isBegun: Bool, after released: [UInt64]) -> Int {
        let size = UDPFormat.range(ofFragment: fragment.index, of: fragment.total).count
        guard !isBegun, slots.isEmpty || slots[fragment.message] == nil else { return size }
        let isNext =
            isReleased(fragment.message, fragment.distance)
            || released.contains(fragment.message - UInt64(fragment.distance))
        return fragment.count == 1 && isNext ? 0 : Self.overhead(fragment.count) + size
    }

    /// Whether a session has room for a piece and what came before it in its packet.
    ///
    /// The sender counts only bytes of messages, so what holding them costs has room of its own. The oldest
    /// unfinished message always has room in its session, so that the others cannot block it.
    func hasRoom(_ cost: Int, for fragment: Fragment) -> Bool {
        let first = fragment.message == base ? maximumMessage + Self.overhead(fragment.count) : 0
        return heldBytes + cost <= window + window / 32 + Int(UDPFormat.maximumAhead) * Self.overhead(1) + first
    }

    private func isReleased(_ number: UInt64, _ distance: UInt32) -> Bool {
        guard distance > 0 else { return true }
        let target = number - UInt64(distance)
        if target < base { return true }
        if case .released = slot(target) { return true }
        return false
    }

    /// In order, which is usual, nothing is held and nothing need be looked up.
    private func slot(_ message: UInt64) -> Slot? { slots.isEmpty ? nil : slots[message] }

    /// Takes a piece that was checked.
    mutating func receive(_ fragment: Fragment, _ bytes: Span<UInt8>) {
        guard fragment.message >= base else { return }
        switch slot(fragment.message) {
        case .released, .waiting: return
        case .partial(var partial):
            slots[fragment.message] = nil  // so that the pieces are changed in place
            add(fragment, bytes, &partial)
        case nil where fragment.count == 1:
            complete(fragment.message, fragment.distance, Bytes([UInt8](copying: bytes)))
        case nil:
            let overhead = Self.overhead(fragment.count)
            var partial = Partial(
                total: fragment.total, distance: fragment.distance, missing: fragment.count, cost: overhead)
            heldBytes += overhead
            add(fragment, bytes, &partial)
        }
    }

    private mutating func add(_ fragment: Fragment, _ bytes: Span<UInt8>, _ partial: inout Partial) {
        if fragment.index < fragment.count, !partial.has(fragment.index) {
            partial.add(bytes, at: fragment.index)
            heldBytes += bytes.count
        }
        guard partial.missing == 0 else {
            slots[fragment.message] = .partial(partial)
            return
        }
        heldBytes -= partial.cost
        complete(fragment.message, partial.distance, Bytes(partial.start))
    }

    private mutating func complete(_ number: UInt64, _ distance: UInt32, _ bytes: Bytes) {
        guard isReleased(number, distance) else {
            slots[number] = .waiting(bytes, distance: distance)
            heldBytes += bytes.count + Self.overhead(1)
            dependents[number - UInt64(distance), default: []].append(number)
            return
        }
        release(number, bytes)
    }

    /// Hands a message on, and those that waited for it.
    private mutating func release(_ number: UInt64, _ bytes: Bytes) {
        if number == base, slots.isEmpty {
            ready.append(Message(number: number, bytes: bytes))
            base += 1
            return
        }
        var next = [(number, bytes)]
        while let (number, bytes) = next.popLast() {
            ready.append(Message(number: number, bytes: bytes))
            slots[number] = .released
            for dependent in dependents.removeValue(forKey: number) ?? [] {
                guard case .waiting(let bytes, _) = slots[dependent] else { continue }
                heldBytes -= bytes.count + Self.overhead(1)
                next.append((dependent, bytes))
            }
        }
        while case .released = slot(base) {
            slots[base] = nil
            base += 1
        }
    }

    /// Takes the messages to be handed on.
    mutating func takeReady() -> [Message] {
        defer { ready = [] }
        return ready
    }
}
