import ChatDeliveryService
import ChatModel

/// IP packets with UDP datagrams: made for datagrams that a socket gave, and read from captures.
enum InternetPacket {
    /// A datagram with headers of IP and UDP.
    static func encoded(_ datagram: SeenDatagram) -> [UInt8] {
        let (source, destination) = (datagram.source, datagram.destination)
        let isV4 = source.isV4 && destination.isV4
        let addresses = isV4 ? big(source.low, 4) + big(destination.low, 4) : whole(source) + whole(destination)
        let length = datagram.bytes.count + 8
        var udp = big(UInt64(source.port), 2) + big(UInt64(destination.port), 2) + big(UInt64(length), 2) + [0, 0]
        udp += datagram.bytes
        let sum = checksum(addresses + [0, 17] + big(UInt64(length), 2) + udp)
        // A sum of 0 would mean that there is none.
        udp.replaceSubrange(6..<8, with: big(UInt64(sum == 0 ? 0xFFFF : sum), 2))
        guard isV4 else { return [0x60, 0, 0, 0] + big(UInt64(length), 2) + [17, 64] + addresses + udp }
        var header: [UInt8] = [0x45, 0] + big(UInt64(length + 20), 2) + [0, 0, 0x40, 0, 64, 17, 0, 0] + addresses
        header.replaceSubrange(10..<12, with: big(UInt64(checksum(header)), 2))
        return header + udp
    }

    /// The datagram in an IP packet; nil for anything else, and for a fragment.
    static func datagram(in packet: ArraySlice<UInt8>) -> SeenDatagram? {
        guard let first = packet.first else { return nil }
        let bytes = Array(packet)
        switch first >> 4 {
        case 4:
            let header = Int(first & 15) * 4
            guard header >= 20, bytes.count >= header, bytes[9] == 17, number(bytes, 6, 2) & 0x3FFF == 0 else {
                return nil
            }
            return udp(
                bytes.dropFirst(header), NetworkAddress(v4: UInt32(number(bytes, 12, 4)), port: 0),
                NetworkAddress(v4: UInt32(number(bytes, 16, 4)), port: 0))
        case 6:
            guard bytes.count >= 40, bytes[6] == 17 else { return nil }
            return udp(
                bytes.dropFirst(40), NetworkAddress(high: number(bytes, 8, 8), low: number(bytes, 16, 8), port: 0),
                NetworkAddress(high: number(bytes, 24, 8), low: number(bytes, 32, 8), port: 0))
        default: return nil
        }
    }

    private static func udp(
        _ bytes: ArraySlice<UInt8>, _ source: NetworkAddress, _ destination: NetworkAddress
    ) -> SeenDatagram? {
        let bytes = Array(bytes)
        guard bytes.count >= 8 else { return nil }
        let length = Int(number(bytes, 4, 2))
        guard length >= 8, length <= bytes.count else { return nil }
        func at(_ address: NetworkAddress, _ offset: Int) -> NetworkAddress {
            NetworkAddress(high: address.high, low: address.low, port: UInt16(number(bytes, offset, 2)))
        }
        return SeenDatagram(Array(bytes[8..<length]), from: at(source, 0), to: at(destination, 2))
    }

    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        bytes[offset..<offset + count].bigEndian
    }

    private static func big(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }

    private static func whole(_ address: NetworkAddress) -> [UInt8] { big(address.high, 8) + big(address.low, 8) }

    /// The sum of RFC 1071.
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt64 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt64(bytes[index]) * 256 + (index + 1 < bytes.count ? UInt64(bytes[index + 1]) : 0)
        }
        while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
