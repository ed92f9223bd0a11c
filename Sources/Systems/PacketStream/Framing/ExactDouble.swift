/// Whether a double is the number that its shortest text says (SA-11): 1.5 is, 0.1 is not.
enum ExactDouble {
    static func isExact(_ value: Double) -> Bool {
        guard value.isFinite else { return false }
        guard value != 0, let (digits, exponent) = parse("\(value.magnitude)") else { return value == 0 }
        // The text says digits · 10^exponent; a double has an odd part of 53 bits at most, times a power of two.
        var odd = digits
        if exponent >= 0 {
            for _ in 0..<exponent {
                let (product, overflow) = odd.multipliedReportingOverflow(by: 5)
                guard !overflow else { return false }
                odd = product
            }
        } else {
            for _ in exponent..<0 {
                guard odd % 5 == 0 else { return false }
                odd /= 5
            }
        }
        while odd > 0, odd % 2 == 0 { odd /= 2 }
        return odd < 1 << 53
    }

    /// Digits without point, and the power of ten of the last one.
    private static func parse(_ text: String) -> (UInt64, Int)? {
        let parts = text.split(separator: "e", maxSplits: 1)
        guard let mantissa = parts.first else { return nil }
        let halves = mantissa.split(separator: ".", maxSplits: 1)
        var fraction = halves.count > 1 ? halves[1] : ""
        while fraction.last == "0" { fraction.removeLast() }
        var exponent = -fraction.utf8.count
        if parts.count > 1 {
            guard let power = Int(parts[1].drop { $0 == "+" }) else { return nil }
            exponent += power
        }
        guard let digits = UInt64(halves[0] + fraction) else { return nil }
        return (digits, exponent)
    }
}
