/// A JSON value; objects keep the order of their keys, so the same value always prints the same text.
public enum JSON: Hashable, Sendable {
    /// No value.
    case null
    /// True or false.
    case bool(Bool)
    /// A number without fraction and exponent that fits into 64 bits with a sign.
    case integer(Int64)
    /// A larger number without fraction and exponent that fits into 64 bits without a sign.
    case unsigned(UInt64)
    /// Any other number that a double holds exactly, as it is printed; never infinite.
    case number(Double)
    /// A number that no other case holds without loss.
    case decimal(Decimal)
    /// A text.
    case string(String)
    /// A list.
    case array([JSON])
    /// Keys and values in their order.
    case object(Object)

    /// The members of an object; no key comes twice.
    public struct Object: Hashable, Sendable {
        /// Keys and values in their order.
        public private(set) var members: [Member] = []

        /// No members.
        public init() {}

        init(distinct members: [Member]) {
            self.members = members
        }

        /// Members in the order in which their keys came first; of a key that comes again the last value counts. Costs
        /// what the members cost, however many there are.
        public init(pairs: [(key: String, value: JSON)]) {
            var places: [ExactText: Int] = [:]
            for (key, value) in pairs {
                if let place = places[ExactText(key)] {
                    members[place].value = value
                } else {
                    places[ExactText(key)] = members.count
                    members.append(Member(key: key, value: value))
                }
            }
        }

        /// The value of a key, compared byte for byte; setting it keeps the key's place or appends it, and nil
        /// removes it.
        public subscript(key: String) -> JSON? {
            get { members.first { ExactText.isSame($0.key, key) }?.value }
            set {
                guard let index = members.firstIndex(where: { ExactText.isSame($0.key, key) }) else {
                    if let newValue { members.append(Member(key: key, value: newValue)) }
                    return
                }
                if let newValue { members[index].value = newValue } else { members.remove(at: index) }
            }
        }
    }

    /// One key of an object and its value.
    public struct Member: Hashable, Sendable {
        /// The key.
        public let key: String
        /// The value.
        public internal(set) var value: JSON
    }
}

// Reading values.
extension JSON {
    /// The text, if this is one.
    public var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The truth value, if this is one.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number as a signed integer, if it is one and fits.
    public var int: Int? {
        if case .integer(let value) = self { Int(exactly: value) } else { nil }
    }

    /// The number as an unsigned integer, if it is one and fits.
    public var uint64: UInt64? {
        switch self {
        case .integer(let value): UInt64(exactly: value)
        case .unsigned(let value): value
        default: nil
        }
    }

    /// The number, if this is one that a double comes near to; large integers lose their last digits.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .number(let value): value
        case .decimal(let value): value.double
        default: nil
        }
    }

    /// The list, if this is one.
    public var list: [JSON]? {
        if case .array(let list) = self { list } else { nil }
    }

    /// The members, if this is an object.
    public var members: [Member]? {
        if case .object(let object) = self { object.members } else { nil }
    }

    /// The value of a key, if this is an object that has it.
    public subscript(key: String) -> JSON? {
        if case .object(let object) = self { object[key] } else { nil }
    }
}

// Writing values.
extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// The number of an unsigned integer.
    public init(_ value: UInt64) {
        self = Int64(exactly: value).map(JSON.integer) ?? .unsigned(value)
    }

    /// The number of an integer.
    public init(_ value: Int) {
        self = .integer(Int64(value))
    }

    /// A text.
    public init(stringLiteral text: String) {
        self = .string(text)
    }

    /// A number.
    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    /// A number.
    public init(floatLiteral value: Double) {
        self = .number(value)
    }

    /// A truth value.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    /// No value.
    public init(nilLiteral: ()) {
        self = .null
    }

    /// A list.
    public init(arrayLiteral elements: JSON...) {
        self = .array(elements)
    }

    /// An object in the order of the literal; of a repeated key the last value counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        var object = Object()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}
