/// A datagram that passed an endpoint, for who wants to look at it.
package struct SeenDatagram: Sendable {
    /// Its bytes.
    package let bytes: [UInt8]
    /// Where it came from.
    package let source: NetworkAddress
    /// Where it went to.
    package let destination: NetworkAddress

    /// A datagram between two addresses.
    package init(_ bytes: [UInt8], from source: NetworkAddress, to destination: NetworkAddress) {
        (self.bytes, self.source, self.destination) = (bytes, source, destination)
    }
}

/// Gets each datagram that an endpoint sends or receives, while the endpoint waits: it must be quick.
package typealias DatagramTap = @Sendable (SeenDatagram) -> Void

/// What an endpoint shows of its traffic.
struct EndpointTap: Sendable {
    private let tap: DatagramTap
    private let own: NetworkAddress

    /// Nothing is shown where nobody looks.
    init?(_ tap: DatagramTap?, own: NetworkAddress?) {
        guard let tap else { return nil }
        (self.tap, self.own) = (tap, own ?? NetworkAddress(high: 0, low: 0, port: 0))
    }

    func received(_ bytes: Span<UInt8>, from peer: NetworkAddress, at local: NetworkAddress?) {
        tap(SeenDatagram(bytes.indices.map { bytes[$0] }, from: peer, to: ours(local)))
    }

    func sent(_ batch: DatagramBatch) {
        for index in 0..<batch.count {
            tap(SeenDatagram(batch.datagram(index), from: ours(batch.source(index)), to: batch.peer(index)))
        }
    }

    /// One of our addresses, with the port of the socket.
    private func ours(_ address: NetworkAddress?) -> NetworkAddress {
        guard let address else { return own }
        return NetworkAddress(high: address.high, low: address.low, port: own.port, scope: address.scope)
    }
}
