import ChatDeliveryService
public import ChatModel

/// The UDP datagrams of a capture in pcapng, of our programs or of Wireshark's.
public struct CaptureFile: Sendable {
    /// A datagram of the capture.
    public struct Datagram: Sendable {
        /// Which packet of the file it is, from 1, as Wireshark counts them.
        public let number: Int
        /// Microseconds since 1970.
        public let microseconds: UInt64
        /// From where and to where: `127.0.0.1:9220`.
        public let source, destination: String
        /// What it carries.
        public let bytes: Bytes

        /// Inspects it as what travels between a client and a relay.
        public func findings(_ keys: Keys = Keys()) -> Findings {
            Inspector(keys).inspect(Input(binary: bytes), as: .datagram)
        }
    }

    /// Why a file is none.
    public struct Failure: Error, CustomStringConvertible {
        /// What is wrong, and at which byte.
        public let description: String
    }

    /// The datagrams in their order.
    public private(set) var datagrams: [Datagram] = []
    /// Packets that carry no UDP datagram, or of which the end is missing.
    public private(set) var others = 0

    /// Whether bytes begin like a capture in pcapng.
    public static func isCapture(_ raw: [UInt8]) -> Bool { raw.starts(with: [0x0A, 0x0D, 0x0D, 0x0A]) }

    /// Reads a file.
    public init(_ raw: [UInt8]) throws(Failure) {
        var walk = BlockWalk(raw)
        var links: [(type: UInt16, unit: UInt64)] = []
        var count = 0
        while let block = try walk.next() {
            switch block.type {
            case Capture.sectionHeader: links = []
            case Capture.interface: links.append((UInt16(truncatingIfNeeded: block.number(0, 2)), block.unit))
            case Capture.packet, Capture.simplePacket:
                count += 1
                let isSimple = block.type == Capture.simplePacket
                let index = isSimple ? 0 : Int(block.number(0, 4))
                guard links.indices.contains(index) else {
                    throw Failure(description: "packet \(count) is of interface \(index), which was not described")
                }
                let size = isSimple ? block.body.count - 4 : Int(block.number(12, 4))
                let start = isSimple ? 4 : 20
                guard size <= block.body.count - start, let packet = links[index].type.packet(block.body, start, size),
                    let seen = InternetPacket.datagram(in: packet)
                else {
                    others += 1
                    continue
                }
                let time = isSimple ? 0 : block.number(4, 4) << 32 | block.number(8, 4)
                datagrams.append(
                    Datagram(
                        number: count, microseconds: links[index].unit == 0 ? time : time / links[index].unit,
                        source: "\(seen.source)", destination: "\(seen.destination)", bytes: Bytes(seen.bytes)))
            default: continue
            }
        }
    }
}

extension UInt16 {
    /// The IP packet in a packet of this link type; nil where it is of a type that is not known here.
    fileprivate func packet(_ bytes: [UInt8], _ start: Int, _ size: Int) -> ArraySlice<UInt8>? {
        let headers: [UInt16: Int] = [101: 0, 12: 0, 228: 0, 229: 0, 0: 4, 1: 14, 113: 16, 276: 20]
        guard let header = headers[self], header <= size else { return nil }
        return bytes[start + header..<start + size]
    }
}

/// The blocks of a capture, one after the other.
private struct BlockWalk {
    private let raw: [UInt8]
    private var offset = 0
    private var isBig = false

    init(_ raw: [UInt8]) { self.raw = raw }

    /// A block without its lengths.
    struct Block {
        let type: UInt32
        let body: [UInt8]
        let isBig: Bool

        /// A number of the body; 0 where it has none there.
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            guard offset + count <= body.count else { return 0 }
            let bytes = body[offset..<offset + count]
            return (isBig ? Array(bytes) : bytes.reversed()).bigEndian
        }

        /// In how many of an interface's units a microsecond is counted; 0 where a unit is no shorter.
        var unit: UInt64 {
            var offset = 8
            while offset + 4 <= body.count {
                let (code, size) = (number(offset, 2), Int(number(offset + 2, 2)))
                if code == 9, size == 1, offset + 4 < body.count {
                    let digits = body[offset + 4]
                    return digits > 6 && digits <= 18 ? (6..<digits).reduce(1) { unit, _ in unit * 10 } : 0
                }
                guard code != 0 else { return 0 }
                offset += 4 + (size + 3) / 4 * 4
            }
            return 0
        }
    }

    mutating func next() throws(CaptureFile.Failure) -> Block? {
        guard offset < raw.count else { return nil }
        guard raw.count - offset >= 12 else { throw end() }
        if raw[offset..<offset + 4].elementsEqual([0x0A, 0x0D, 0x0D, 0x0A]) {
            isBig = raw[offset + 8..<offset + 12].elementsEqual([0x1A, 0x2B, 0x3C, 0x4D])
        }
        let head = Block(type: 0, body: Array(raw[offset..<offset + 8]), isBig: isBig)
        let (type, length) = (UInt32(head.number(0, 4)), Int(head.number(4, 4)))
        guard length >= 12, length % 4 == 0 else {
            throw CaptureFile.Failure(description: "a block of \(length) bytes at byte \(offset)")
        }
        guard length <= raw.count - offset else { throw end() }
        defer { offset += length }
        return Block(type: type, body: Array(raw[offset + 8..<offset + length - 4]), isBig: isBig)
    }

    private func end() -> CaptureFile.Failure {
        CaptureFile.Failure(description: "the capture ends within the block at byte \(offset)")
    }
}
