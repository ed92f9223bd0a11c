extension JSON {
    /// A number as it was written, equal to every other spelling of the same number: `1e400`, `0.10` and `0.1`.
    ///
    /// No digit is lost and none is computed, so a number costs what its text costs, however large it is. An exponent
    /// of more than 17 digits, zeros in front aside, is compared as it is written.
    public struct Decimal: Hashable, Sendable, CustomStringConvertible {
        /// The number as it was written.
        public let description: String

        /// A text of RFC 8259's grammar; nil for anything else.
        public init?(_ text: String) {
            guard let last = text.utf8.last, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last),
                text.utf8.first.map({ $0 > UInt8(ascii: " ") }) == true,
                case .decimal? = try? JSON(parsing: text).asDecimal
            else { return nil }
            description = text
        }

        /// A text that is known to be a number.
        init(checked text: String) {
            description = text
        }

        /// The nearest double, unless that is infinite.
        public var double: Double? {
            guard let value = Double(description), value.isFinite else { return nil }
            return value
        }

        /// Compares values.
        public static func == (left: Self, right: Self) -> Bool {
            left.description == right.description || left.normal == right.normal
        }

        /// Hashes the value.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(normal)
        }

        /// Sign, digits without zeros at either end, and the power of ten of the last digit.
        private struct Normal: Hashable {
            var isNegative = false
            var digits: [UInt8] = []
            var exponent = 0
            /// An exponent too large for a number.
            var spelling: String?
        }

        private var normal: Normal {
            var normal = Normal()
            var text = Substring(description)
            if text.first == "-" {
                normal.isNegative = true
                text.removeFirst()
            }
            let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
            let mantissa = parts[0].split(separator: ".", maxSplits: 1)
            normal.digits = mantissa.flatMap { Array($0.utf8) }
            guard let first = normal.digits.firstIndex(where: { $0 != UInt8(ascii: "0") }) else {
                return Normal()
            }
            normal.digits.removeFirst(first)
            let fraction = mantissa.count > 1 ? mantissa[1].utf8.count : 0
            let zeros = normal.digits.reversed().prefix { $0 == UInt8(ascii: "0") }.count
            normal.digits.removeLast(zeros)
            guard parts.count > 1 else {
                normal.exponent = zeros - fraction
                return normal
            }
            let isNegative = parts[1].first == "-"
            let power = parts[1].drop { $0 == "-" || $0 == "+" }.drop { $0 == "0" }
            guard power.utf8.count <= 17, let value = power.isEmpty ? 0 : Int(power) else {
                normal.spelling = "\(isNegative ? "-" : "")\(power)"
                normal.exponent = zeros - fraction
                return normal
            }
            // Both are far below the limits of Int: 17 digits, and the length of a text.
            normal.exponent = (isNegative ? -value : value) + zeros - fraction
            return normal
        }
    }
}

// Comparing.
extension JSON {
    /// A number in its general form; anything else as it is.
    private var asDecimal: JSON {
        switch self {
        case .integer(let value): .decimal(Decimal(checked: String(value)))
        case .unsigned(let value): .decimal(Decimal(checked: String(value)))
        case .number(let value) where value.isFinite: .decimal(Decimal(checked: "\(value)"))
        default: self
        }
    }

    /// Whether two values mean the same: objects whatever the order of their keys, numbers whatever their spelling,
    /// texts byte for byte.
    public func isSameValue(as other: JSON) -> Bool {
        switch (self, other) {
        case (.object(let left), .object(let right)): left.isSameValue(as: right)
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isSameValue(as: $1) }
        case (.string(let left), .string(let right)): ExactText.isSame(left, right)
        case (.integer(let left), .integer(let right)): left == right
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        default:
            if case (.decimal(let left), .decimal(let right)) = (asDecimal, other.asDecimal) {
                left == right
            } else {
                false
            }
        }
    }
}

extension JSON.Object {
    /// Costs what both objects cost together, however many keys they have.
    fileprivate func isSameValue(as other: JSON.Object) -> Bool {
        guard members.count == other.members.count else { return false }
        // Most objects that are compared were written by the same hand, so their keys stand in the same order.
        if zip(members, other.members).allSatisfy({ ExactText.isSame($0.key, $1.key) }) {
            return zip(members, other.members).allSatisfy { $0.value.isSameValue(as: $1.value) }
        }
        var places: [ExactText: JSON] = [:]
        for member in other.members { places[ExactText(member.key)] = member.value }
        return members.allSatisfy { member in
            places[ExactText(member.key)].map { member.value.isSameValue(as: $0) } ?? false
        }
    }
}
