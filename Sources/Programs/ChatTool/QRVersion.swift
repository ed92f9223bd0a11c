/// A size of QR codes at level L, and how bytes become its codewords.
struct QRVersion: Sendable {
    /// 1 is the smallest.
    let number: Int
    /// Codewords of correction in each block.
    private let correction: Int
    /// Codewords of data in each block, the shorter blocks first.
    private let blocks: [Int]
    /// The centers of alignment patterns in either direction.
    let centers: [Int]

    private init(_ number: Int, _ correction: Int, _ blocks: [Int], _ centers: [Int] = []) {
        (self.number, self.correction, self.blocks, self.centers) = (number, correction, blocks, centers)
    }

    /// Tables 9 and E.1 of the standard.
    static let all = [
        QRVersion(1, 7, [19]), QRVersion(2, 10, [34], [6, 18]), QRVersion(3, 15, [55], [6, 22]),
        QRVersion(4, 20, [80], [6, 26]), QRVersion(5, 26, [108], [6, 30]), QRVersion(6, 18, [68, 68], [6, 34]),
        QRVersion(7, 20, [78, 78], [6, 22, 38]), QRVersion(8, 24, [97, 97], [6, 24, 42]),
        QRVersion(9, 30, [116, 116], [6, 26, 46]), QRVersion(10, 18, [68, 68, 69, 69], [6, 28, 50]),
        QRVersion(11, 20, [81, 81, 81, 81], [6, 30, 54]), QRVersion(12, 24, [92, 92, 93, 93], [6, 32, 58]),
        QRVersion(13, 26, [107, 107, 107, 107], [6, 34, 62]),
        QRVersion(14, 30, [115, 115, 115, 116], [6, 26, 46, 66]),
    ]

    private var dataCount: Int { blocks.reduce(0, +) }
    private var lengthBytes: Int { number < 10 ? 1 : 2 }
    /// The most bytes: mode and length take 12 or 20 bits.
    var capacity: Int { dataCount - lengthBytes - 1 }

    /// Data and correction of all blocks, by turns.
    func codewords(of bytes: [UInt8]) -> [UInt8] {
        // The mode has half a byte, so everything is shifted by as much.
        var nibbles: [UInt8] = [4]
        let length = lengthBytes == 1 ? [UInt8(bytes.count)] : [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)]
        for byte in length + bytes { nibbles += [byte >> 4, byte & 15] }
        nibbles.append(0)
        var data = stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
        for index in 0..<dataCount - data.count { data.append(index % 2 == 0 ? 0xEC : 0x11) }
        var (parts, start): ([[UInt8]], Int) = ([], 0)
        for count in blocks {
            parts.append(Array(data[start..<start + count]))
            start += count
        }
        let corrections = parts.map { QRField.remainder(of: $0, degree: correction) }
        let longest = blocks.max() ?? 0
        return (0..<longest).flatMap { place in parts.compactMap { place < $0.count ? $0[place] : nil } }
            + (0..<correction).flatMap { place in corrections.map { $0[place] } }
    }
}

/// The field of 256 elements of QR codes, with the polynomial 0x11D.
private enum QRField {
    static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var (sum, factor) = (UInt16(0), UInt16(left))
        for bit in 0..<8 {
            if right >> UInt8(bit) & 1 == 1 { sum ^= factor }
            factor = factor << 1 ^ (factor >> 7 & 1) * 0x11D
        }
        return UInt8(truncatingIfNeeded: sum)
    }

    /// The remainder of a message by the product of (x − 2⁰) … (x − 2ᵈ⁻¹): its Reed-Solomon correction.
    static func remainder(of message: [UInt8], degree: Int) -> [UInt8] {
        // Without its leading 1.
        var divisor = [UInt8](repeating: 0, count: degree - 1) + [1]
        var root: UInt8 = 1
        for _ in 0..<degree {
            for index in 0..<degree {
                divisor[index] = product(divisor[index], root)
                if index + 1 < degree { divisor[index] ^= divisor[index + 1] }
            }
            root = product(root, 2)
        }
        var rest = [UInt8](repeating: 0, count: degree)
        for byte in message {
            let factor = byte ^ rest.removeFirst()
            rest.append(0)
            for index in 0..<degree { rest[index] ^= product(divisor[index], factor) }
        }
        return rest
    }
}
