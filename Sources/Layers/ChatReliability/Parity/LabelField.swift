/// GF(2⁸) as Leopard writes it: a byte is a label, its bits are coordinates in a Cantor basis.
///
/// Addition is xor, as in every picture of the field; multiplication is that of the elements for
/// which the labels stand (`Specs/parity.md`).
package enum LabelField {
    /// x⁸ + x⁴ + x³ + x² + 1.
    private static let polynomial = 0x11D
    /// The elements for which the bits of a label stand, lowest first.
    static let cantorBasis: [UInt8] = [0x01, 0xD6, 0x98, 0x92, 0x56, 0xC8, 0x58, 0xE6]
    /// How many elements are not zero.
    private static let order = 255

    /// The element for which a label stands.
    package static func element(_ label: UInt8) -> UInt8 {
        (0..<8).reduce(0) { label & (1 << UInt8($1)) == 0 ? $0 : $0 ^ cantorBasis[$1] }
    }

    /// Logarithms to the base of the element 2, by label; that of 0 has no meaning.
    private static let logarithms: [Int] = {
        var byElement = [Int](repeating: 0, count: 256)
        var element = 1
        for power in 0..<order {
            byElement[element] = power
            element <<= 1
            if element > 255 { element ^= polynomial }
        }
        return (0...255).map { byElement[Int(Self.element(UInt8($0)))] }
    }()

    /// Labels of the powers of the element 2, twice over, so that a sum of two logarithms is an index.
    private static let powers: [UInt8] = {
        var labels = [UInt8](repeating: 0, count: 2 * order)
        for label in UInt8(1)...255 {
            labels[logarithms[Int(label)]] = label
            labels[logarithms[Int(label)] + order] = label
        }
        return labels
    }()

    /// The product of two labels.
    package static func multiply(_ left: UInt8, _ right: UInt8) -> UInt8 {
        guard left != 0, right != 0 else { return 0 }
        return powers[logarithms[Int(left)] + logarithms[Int(right)]]
    }

    /// A label divided by another, which is not 0.
    package static func divide(_ left: UInt8, by right: UInt8) -> UInt8 {
        guard left != 0 else { return 0 }
        return powers[logarithms[Int(left)] + order - logarithms[Int(right)]]
    }

    /// A factor, prepared for rows of bytes: its products with the labels 1, 2, 4 … 128.
    ///
    /// A product by any label is the exclusive or of those whose bit the label has. Each is
    /// repeated in all bytes of a word.
    struct Factor {
        fileprivate let products: SIMD8<UInt64>

        fileprivate init(_ label: UInt8) {
            var products = SIMD8<UInt64>()
            for bit in 0..<8 { products[bit] = UInt64(multiply(label, 1 << UInt8(bit))) &* LabelField.ones }
            self.products = products
        }
    }

    /// All factors, by label.
    static let factors: [Factor] = (0...255).map { Factor($0) }

    /// 32 bytes that are worked on at once.
    typealias Lane = SIMD4<UInt64>
    /// A one in every byte.
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// The products of 32 bytes and a factor.
    ///
    /// SIMD types look nothing up in tables, so each bit of the bytes is spread over its byte and lets
    /// through the product that belongs to it.
    @inline(__always) static func multiply(_ lane: Lane, _ factor: Factor) -> Lane {
        let ones = Lane(repeating: Self.ones)
        @inline(__always) func part(_ bit: Int) -> Lane {
            let bits = (lane &>> Lane(repeating: UInt64(bit))) & ones
            return ((bits &<< Lane(repeating: 8)) &- bits) & Lane(repeating: factor.products[bit])
        }
        return part(0) ^ part(1) ^ part(2) ^ part(3) ^ part(4) ^ part(5) ^ part(6) ^ part(7)
    }
}
