import ChatCrypto
import ChatModel

/// Datagrams to be sent, one after the other in one buffer that is used again and again.
package struct DatagramBatch: Sendable {
    /// Datagrams at most; who has more to send writes again after these are sent.
    package static let capacity = 64

    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []
    private var peers: [NetworkAddress] = []
    private var sources: [NetworkAddress?] = []
    private var start = 0
    /// Bytes that the begun datagram gets when it is sealed.
    private var trailer = 0

    /// An empty batch.
    package init() {
        bytes.reserveCapacity(Self.capacity * UDPFormat.maximumDatagram)
    }

    /// How many datagrams there are.
    package var count: Int { ends.count }
    /// Whether there are none.
    package var isEmpty: Bool { ends.isEmpty }
    /// Whether there is room for no more.
    package var isFull: Bool { ends.count >= Self.capacity }
    /// Where one of them goes.
    package func peer(_ index: Int) -> NetworkAddress { peers[index] }
    /// Which of our addresses one of them goes out from; nil for the system's choice.
    package func source(_ index: Int) -> NetworkAddress? { sources[index] }
    /// Where the bytes of one of them lie in ``bytes``.
    func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }
    /// The bytes of one of them.
    package func datagram(_ index: Int) -> [UInt8] { Array(bytes[range(index)]) }

    /// Forgets the datagrams and keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        peers.removeAll(keepingCapacity: true)
        sources.removeAll(keepingCapacity: true)
        start = 0
    }

    /// Begins a datagram with its header.
    package mutating func begin(_ kind: UDPFormat.Kind, session: UInt64) {
        start = bytes.count
        bytes.append(UDPFormat.version)
        bytes.append(kind.rawValue)
        bytes.append(big: session)
    }

    /// Begins a sealed packet: its header, and room for what is masked. ``seal(by:)`` ends its frames.
    mutating func begin(packetTo id: UInt64) {
        start = bytes.count
        bytes.append(SealedFormat.version)
        bytes.append(SealedHandshake.Kind.packet.rawValue)
        bytes.append(big: id)
        bytes.append(contentsOf: repeatElement(0, count: SealedFormat.maskedSize))
        trailer = AEAD.tagSize
    }

    /// Seals the datagram.
    mutating func seal(by seal: inout HopSeal) throws(SealedError) {
        try seal.seal(from: start, in: &bytes)
        trailer = 0
    }

    /// Forgets what was begun.
    mutating func abandon() {
        bytes.removeSubrange(start...)
        trailer = 0
    }

    /// Fills the datagram with zeros up to a size, by default the largest.
    mutating func pad(to most: Int = UDPFormat.maximumDatagram) {
        bytes.append(contentsOf: repeatElement(0, count: max(0, most - trailer - size)))
    }

    /// A datagram that was made elsewhere.
    package mutating func append(_ datagram: [UInt8], to peer: NetworkAddress, from local: NetworkAddress? = nil) {
        bytes += datagram
        end(to: peer, from: local)
    }

    /// Bytes that the datagram may still get.
    var room: Int { UDPFormat.maximumDatagram - trailer - size }
    /// Bytes of the last datagram that was ended.
    var lastSize: Int { isEmpty ? 0 : range(count - 1).count }
    /// Bytes that the datagram has.
    var size: Int { bytes.count - start }

    /// Appends to the datagram.
    package mutating func append(_ write: (inout [UInt8]) -> Void) { write(&bytes) }

    /// Ends the datagram, perhaps with zeros up to the largest size.
    package mutating func end(to peer: NetworkAddress, from local: NetworkAddress? = nil, padded: Bool = false) {
        if padded { pad() }
        ends.append(bytes.count)
        peers.append(peer)
        sources.append(local)
    }

    /// Bytes of a run at most: what fits into one datagram of IPv4, with its headers.
    private static let longestRun = 65_000

    /// The datagrams from one of them on that go the same way and have the same size; the last may be shorter.
    package func run(from first: Int) -> Range<Int> {
        let size = range(first).count
        var (end, bytes) = (first + 1, size)
        while end < count, peers[end] == peers[first], sources[end] == sources[first] {
            let next = range(end).count
            guard next <= size, bytes + next <= Self.longestRun else { break }
            (end, bytes) = (end + 1, bytes + next)
            guard next == size else { break }
        }
        return first..<end
    }
}
