package import ChatDeliveryService

/// Captures of datagrams in pcapng, as Wireshark opens them: one interface of raw IP packets (link type 101).
///
/// What is written are UDP datagrams with IP headers made for them, since a socket does not see those that were there.
public enum Capture {
    static let sectionHeader: UInt32 = 0x0A0D_0D0A
    static let byteOrder: UInt32 = 0x1A2B_3C4D
    static let (interface, simplePacket, packet): (UInt32, UInt32, UInt32) = (1, 3, 6)
    static let rawIP: UInt16 = 101

    /// The beginning of a file: a section, and its interface, whose times are in microseconds.
    package static var header: [UInt8] {
        var section: [UInt8] = []
        section.append(little: byteOrder)
        section.append(little: UInt16(1))
        section.append(little: UInt16(0))
        // Nobody knows yet how long the section will be.
        section.append(little: UInt64.max)
        var interface: [UInt8] = []
        interface.append(little: rawIP)
        interface.append(little: UInt16(0))
        interface.append(little: UInt32(65_535))
        return block(sectionHeader, section) + block(self.interface, interface)
    }

    /// A datagram, at microseconds since 1970.
    package static func block(_ datagram: SeenDatagram, at microseconds: UInt64) -> [UInt8] {
        let packet = InternetPacket.encoded(datagram)
        var body: [UInt8] = []
        body.append(little: UInt32(0))
        body.append(little: UInt32(truncatingIfNeeded: microseconds >> 32))
        body.append(little: UInt32(truncatingIfNeeded: microseconds))
        body.append(little: UInt32(packet.count))
        body.append(little: UInt32(packet.count))
        return block(self.packet, body + packet)
    }

    private static func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
        let body = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
        var block: [UInt8] = []
        block.append(little: type)
        block.append(little: UInt32(body.count + 12))
        block += body
        block.append(little: UInt32(body.count + 12))
        return block
    }
}

extension [UInt8] {
    fileprivate mutating func append(little value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: type(of: value).bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
