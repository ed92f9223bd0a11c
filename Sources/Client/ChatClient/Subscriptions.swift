internal import ChatModel

/// Which addresses a client wants, on whose behalf, and how far it has read each.
struct Subscriptions: Sendable {
    private var owners: [DeliveryAddress: Set<Owner>] = [:]
    private var addresses: [Owner: Set<DeliveryAddress>] = [:]
    private(set) var cursors: [DeliveryAddress: Cursor] = [:]
    private var echoes: [Owner: Set<DeliveryAddress>] = [:]
    private var begun: Set<DeliveryAddress> = []
    private var ended: Set<DeliveryAddress> = []

    /// Replaces what an owner wants; returns the addresses that nobody wants any more.
    mutating func want(_ wanted: Set<DeliveryAddress>, for owner: Owner) -> [DeliveryAddress] {
        let before = addresses[owner] ?? []
        addresses[owner] = wanted.isEmpty ? nil : wanted
        for address in wanted.subtracting(before) {
            if owners[address] == nil {
                begun.insert(address)
                ended.remove(address)
            }
            owners[address, default: []].insert(owner)
        }
        var unwanted: [DeliveryAddress] = []
        for address in before.subtracting(wanted) {
            owners[address]?.remove(owner)
            guard owners[address]?.isEmpty == true else { continue }
            owners[address] = nil
            cursors[address] = nil
            if begun.remove(address) == nil { ended.insert(address) }
            unwanted.append(address)
        }
        return unwanted
    }

    /// Replaces the addresses whose own payloads an owner wants back.
    mutating func wantEchoes(_ wanted: Set<DeliveryAddress>, for owner: Owner) {
        guard !wanted.isEmpty || echoes[owner] != nil else { return }
        echoes[owner] = wanted.isEmpty ? nil : wanted
    }

    /// Whether somebody here wants own payloads on an address back.
    func wantsEcho(_ address: DeliveryAddress) -> Bool {
        !echoes.isEmpty && echoes.values.contains { $0.contains(address) }
    }

    /// Whether somebody listens to an address.
    func isWanted(_ address: DeliveryAddress) -> Bool { owners[address] != nil }

    /// Subscribes anew to an address whose subscription the service ended, if somebody still listens to it (REPLY-6).
    mutating func renew(_ address: DeliveryAddress) {
        if owners[address] != nil { begun.insert(address) }
    }

    /// Remembers how far an address is read, as long as somebody wants it.
    mutating func read(_ address: DeliveryAddress, to cursor: Cursor) {
        guard owners[address] != nil else { return }
        cursors[address] = cursor
    }

    /// Puts back the cursor of an earlier run.
    mutating func restore(_ address: DeliveryAddress, _ cursor: Cursor) {
        cursors[address] = cursor
    }

    /// Who listens to an address.
    func listeners(on address: DeliveryAddress) -> Set<Owner> { owners[address] ?? [] }

    /// Where every wanted address is to be read from: a new one from the earliest retained payload.
    var all: [DeliveryAddress: Since] {
        Dictionary(uniqueKeysWithValues: owners.keys.map { ($0, since($0)) })
    }

    /// The changes since the last call.
    mutating func take() -> (begun: [DeliveryAddress: Since], ended: [DeliveryAddress]) {
        defer { (begun, ended) = ([], []) }
        return (Dictionary(uniqueKeysWithValues: begun.map { ($0, since($0)) }), Array(ended))
    }

    private func since(_ address: DeliveryAddress) -> Since {
        cursors[address].map { .after($0) } ?? .earliest
    }
}
