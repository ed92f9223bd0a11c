/// A QR code (ISO/IEC 18004) of bytes, with the least correction of errors (level L), for a terminal.
public struct QRCode: Sendable {
    /// Modules on each side.
    public let size: Int
    private var isDark: [[Bool]]
    /// Modules that no data may stand in.
    private var isFixed: [[Bool]]
    /// Which of the eight masks was chosen.
    let mask: Int

    /// The most bytes: those of version 14.
    public static let maximumBytes = 458

    /// A code of some bytes; nil for more than ``maximumBytes``.
    public init?(_ bytes: [UInt8]) { self.init(bytes, mask: nil) }

    init?(_ bytes: [UInt8], mask wanted: Int?) {
        guard let version = QRVersion.all.first(where: { $0.capacity >= bytes.count }) else { return nil }
        var plain = QRCode(blank: version)
        plain.place(version.codewords(of: bytes))
        let masked = (wanted.map { [$0] } ?? Array(0..<8)).map { plain.masked(by: $0) }
        guard let best = masked.min(by: { $0.penalty < $1.penalty }) else { return nil }
        self = best
    }

    /// Whether a module is dark; those outside are light.
    public subscript(row: Int, column: Int) -> Bool {
        (0..<size).contains(row) && (0..<size).contains(column) && isDark[row][column]
    }

    /// Lines of half blocks, two rows of modules in each, dark on light with the margin that readers need.
    public var lines: [String] {
        stride(from: -4, to: size + 4, by: 2).map { row in
            (-4..<size + 4).map { column in
                switch (self[row, column], self[row + 1, column]) {
                case (true, true): " "
                case (true, false): "▄"
                case (false, true): "▀"
                case (false, false): "█"
                }
            }.joined()
        }
    }

    // The patterns by which a reader finds its way.

    private init(blank version: QRVersion) {
        size = 17 + 4 * version.number
        mask = 0
        isDark = Array(repeating: Array(repeating: false, count: size), count: size)
        isFixed = isDark
        for (row, column) in [(0, 0), (0, size - 7), (size - 7, 0)] { drawFinder(row, column) }
        for index in 8..<size - 8 {
            fix(6, index, index % 2 == 0)
            fix(index, 6, index % 2 == 0)
        }
        let last = version.centers.count - 1
        for (i, row) in version.centers.enumerated() {
            for (j, column) in version.centers.enumerated()
            where ![(0, 0), (0, last), (last, 0)].contains(where: { $0 == (i, j) }) {
                drawSquares(row, column, radius: 2)
            }
        }
        drawFormat(0)
        guard version.number >= 7 else { return }
        let code = Self.remainder(version.number, by: 0x1F25, degree: 12)
        for bit in 0..<18 {
            let isSet = code >> bit & 1 == 1
            fix(bit / 3, size - 11 + bit % 3, isSet)
            fix(size - 11 + bit % 3, bit / 3, isSet)
        }
    }

    private mutating func fix(_ row: Int, _ column: Int, _ dark: Bool) {
        isDark[row][column] = dark
        isFixed[row][column] = true
    }

    private mutating func drawFinder(_ row: Int, _ column: Int) {
        for r in max(0, row - 1)...min(size - 1, row + 7) {
            for c in max(0, column - 1)...min(size - 1, column + 7) { fix(r, c, false) }
        }
        drawSquares(row + 3, column + 3, radius: 3)
        let core = max(abs(0), 1)
        for r in row + 3 - core...row + 3 + core { for c in column + 3 - core...column + 3 + core { fix(r, c, true) } }
    }

    /// A ring around a dot: dark at the radius, light inside, dark in the middle.
    private mutating func drawSquares(_ row: Int, _ column: Int, radius: Int) {
        for r in -radius...radius {
            for c in -radius...radius {
                let distance = max(abs(r), abs(c))
                fix(row + r, column + c, distance == radius || distance == 0)
            }
        }
    }

    /// Level L and the mask, twice.
    private mutating func drawFormat(_ mask: Int) {
        let code = Self.remainder(1 << 3 | mask, by: 0x537, degree: 10) ^ 0x5412
        func bit(_ index: Int) -> Bool { code >> index & 1 == 1 }
        for index in 0..<6 { fix(index, 8, bit(index)) }
        fix(7, 8, bit(6))
        fix(8, 8, bit(7))
        fix(8, 7, bit(8))
        for index in 9..<15 { fix(8, 14 - index, bit(index)) }
        for index in 0..<8 { fix(8, size - 1 - index, bit(index)) }
        for index in 8..<15 { fix(size - 15 + index, 8, bit(index)) }
        fix(size - 8, 8, true)
    }

    /// A number followed by its remainder by a polynomial over the field of two elements.
    private static func remainder(_ value: Int, by polynomial: Int, degree: Int) -> Int {
        var rest = value
        for _ in 0..<degree { rest = rest << 1 ^ (rest >> (degree - 1) & 1) * polynomial }
        return value << degree | rest & (1 << degree - 1)
    }

    // Data, in columns of two from the right, up and down in turns.

    private mutating func place(_ codewords: [UInt8]) {
        var bit = 0
        var right = size - 1
        while right > 0 {
            if right == 6 { right = 5 }
            for step in 0..<size {
                let isUpward = (right + 1) & 2 == 0
                let row = isUpward ? size - 1 - step : step
                for column in [right, right - 1] where !isFixed[row][column] {
                    if bit < codewords.count * 8 {
                        isDark[row][column] = codewords[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1
                    }
                    bit += 1
                }
            }
            right -= 2
        }
    }

    private func masked(by mask: Int) -> QRCode {
        var code = QRCode(self, mask: mask)
        for r in 0..<size {
            for c in 0..<size where !isFixed[r][c] {
                let isTurned =
                    switch mask {
                    case 0: (r + c) % 2 == 0
                    case 1: r % 2 == 0
                    case 2: c % 3 == 0
                    case 3: (r + c) % 3 == 0
                    case 4: (r / 2 + c / 3) % 2 == 0
                    case 5: r * c % 2 + r * c % 3 == 0
                    case 6: (r * c % 2 + r * c % 3) % 2 == 0
                    default: ((r + c) % 2 + r * c % 3) % 2 == 0
                    }
                if isTurned { code.isDark[r][c].toggle() }
            }
        }
        code.drawFormat(mask)
        return code
    }

    private init(_ other: QRCode, mask: Int) {
        (size, isDark, isFixed, self.mask) = (other.size, other.isDark, other.isFixed, mask)
    }

    /// How hard it is to read: runs, blocks, what looks like a finder, and how far from half of it is dark.
    private var penalty: Int {
        let columns = (0..<size).map { column in isDark.map { $0[column] } }
        let lines = (isDark + columns).reduce(0) { $0 + Self.penalty(of: $1) }
        var blocks = 0
        for r in 0..<size - 1 {
            for c in 0..<size - 1 {
                let square = [isDark[r][c + 1], isDark[r + 1][c], isDark[r + 1][c + 1]]
                if square.allSatisfy({ $0 == isDark[r][c] }) { blocks += 3 }
            }
        }
        let dark = isDark.reduce(0) { $0 + $1.count { $0 } }
        return lines + blocks + abs(dark * 20 - size * size * 10) / (size * size) * 10
    }

    private static func penalty(of line: [Bool]) -> Int {
        var (sum, start) = (0, 0)
        for index in 1...line.count where index == line.count || line[index] != line[start] {
            if index - start >= 5 { sum += index - start - 2 }
            start = index
        }
        let finder = [true, false, true, true, true, false, true]
        let light = [false, false, false, false]
        for pattern in [finder + light, light + finder] {
            sum += (0...line.count - 11).count { Array(line[$0..<$0 + 11]) == pattern } * 40
        }
        return sum
    }
}
