/// A number modulo p = 2²⁵⁵ − 19, for public values only: its time depends on them.
///
/// libsodium 1.0.18 maps Edwards points to Montgomery ones and not back; verifying an XEdDSA signature
/// needs the way back, and with it one inversion.
package struct FieldElement: Equatable {
    /// Below p, least significant first.
    private var limbs: [4 of UInt64]

    private static let prime: [4 of UInt64] = [
        0xFFFF_FFFF_FFFF_FFED, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF,
    ]

    /// The number one.
    package static let one = FieldElement(limbs: [1, 0, 0, 0])
    /// The number zero.
    package static let zero = FieldElement(limbs: [0, 0, 0, 0])

    private init(limbs: [4 of UInt64]) { self.limbs = limbs }

    /// A number from 32 little-endian bytes; nil unless it is below p.
    package init?(canonical bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        limbs = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() { limbs[index / 8] |= UInt64(byte) << (8 * UInt64(index % 8)) }
        guard !isAtLeastPrime else { return nil }
    }

    /// 32 little-endian bytes.
    package var bytes: [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: limbs[$0 / 8] >> (8 * UInt64($0 % 8))) }
    }

    package static func == (left: FieldElement, right: FieldElement) -> Bool {
        left.limbs.indices.allSatisfy { left.limbs[$0] == right.limbs[$0] }
    }

    package static func + (left: FieldElement, right: FieldElement) -> FieldElement {
        var (sum, carry) = (left, false)
        for index in sum.limbs.indices {
            let (partial, first) = left.limbs[index].addingReportingOverflow(right.limbs[index])
            let (total, second) = partial.addingReportingOverflow(carry ? 1 : 0)
            (sum.limbs[index], carry) = (total, first || second)
        }
        if sum.isAtLeastPrime { sum.subtract(prime) }
        return sum
    }

    package static func - (left: FieldElement, right: FieldElement) -> FieldElement {
        var negative = FieldElement(limbs: prime)
        negative.subtract(right.limbs)
        return right == .zero ? left : left + negative
    }

    /// Schoolbook multiplication to 512 bits; the upper half counts 38 times, because 2²⁵⁶ ≡ 38.
    package static func * (left: FieldElement, right: FieldElement) -> FieldElement {
        var wide: [8 of UInt64] = [0, 0, 0, 0, 0, 0, 0, 0]
        for i in 0..<4 {
            var carry: UInt64 = 0
            for j in 0..<4 {
                (carry, wide[i + j]) = multiplyAdd(left.limbs[i], right.limbs[j], wide[i + j], carry)
            }
            wide[i + 4] = carry
        }
        var product = FieldElement.zero
        var carry: UInt64 = 0
        for i in 0..<4 { (carry, product.limbs[i]) = multiplyAdd(wide[i + 4], 38, wide[i], carry) }
        product.fold(carry &* 38)
        return product
    }

    /// The inverse by Fermat: the power of p − 2 = 2²⁵⁵ − 21, which is 0 for 0.
    ///
    /// `onesN` is the power of 2ᴺ − 1, N bits that are set.
    package var inverse: FieldElement {
        let second = squared(1)
        let ninth = second.squared(2) * self
        let eleventh = ninth * second
        let ones5 = eleventh.squared(1) * ninth
        let ones10 = ones5.squared(5) * ones5
        let ones20 = ones10.squared(10) * ones10
        let ones40 = ones20.squared(20) * ones20
        let ones50 = ones40.squared(10) * ones10
        let ones100 = ones50.squared(50) * ones50
        let ones200 = ones100.squared(100) * ones100
        let ones250 = ones200.squared(50) * ones50
        return ones250.squared(5) * eleventh
    }

    private func squared(_ times: Int) -> FieldElement {
        (0..<times).reduce(self) { power, _ in power * power }
    }

    private static func multiplyAdd(
        _ left: UInt64, _ right: UInt64, _ addend: UInt64, _ carry: UInt64
    ) -> (high: UInt64, low: UInt64) {
        let (high, low) = left.multipliedFullWidth(by: right)
        let (first, overflow) = low.addingReportingOverflow(addend)
        let (second, again) = first.addingReportingOverflow(carry)
        return (high &+ (overflow ? 1 : 0) &+ (again ? 1 : 0), second)
    }

    /// Adds a small number to a value below 2²⁵⁶ and brings it below p.
    private mutating func fold(_ small: UInt64) {
        var addend = small
        repeat {
            for index in limbs.indices {
                let (sum, carry) = limbs[index].addingReportingOverflow(addend)
                (limbs[index], addend) = (sum, carry ? 1 : 0)
            }
            addend &*= 38
        } while addend > 0
        while isAtLeastPrime { subtract(Self.prime) }
    }

    private var isAtLeastPrime: Bool {
        for index in limbs.indices.reversed() where limbs[index] != Self.prime[index] {
            return limbs[index] > Self.prime[index]
        }
        return true
    }

    private mutating func subtract(_ other: [4 of UInt64]) {
        var borrow = false
        for index in limbs.indices {
            let (partial, first) = limbs[index].subtractingReportingOverflow(other[index])
            let (total, second) = partial.subtractingReportingOverflow(borrow ? 1 : 0)
            (limbs[index], borrow) = (total, first || second)
        }
    }
}
