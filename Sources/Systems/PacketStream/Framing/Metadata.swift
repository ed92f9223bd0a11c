import ChatModel

/// Names and values beside a packet; names differ byte for byte and stand in the order of their bytes.
public struct Metadata: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// One name and its value.
    public struct Entry: Hashable, Sendable {
        /// The name.
        public let key: String
        /// The value.
        public let value: String

        /// Compares the bytes.
        public static func == (left: Self, right: Self) -> Bool {
            left.key.hasSameBytes(as: right.key) && left.value.hasSameBytes(as: right.value)
        }
    }

    /// All entries, in the order of the bytes of their names.
    public private(set) var entries: [Entry] = []

    /// No entries.
    public init() {}

    /// Entries in any order; of a name that comes again the last value counts.
    public init(_ pairs: [(String, String)]) {
        entries.reserveCapacity(pairs.count)
        // Most come in their order, with no name twice.
        guard !zip(pairs, pairs.dropFirst()).allSatisfy({ Self.precedes($0.0, $1.0) }) else {
            for (key, value) in pairs { entries.append(Entry(key: key, value: value)) }
            return
        }
        let sorted = pairs.enumerated().sorted { left, right in
            let isFirst = Self.precedes(left.element.0, right.element.0)
            return isFirst || !Self.precedes(right.element.0, left.element.0) && left.offset < right.offset
        }
        for (_, pair) in sorted {
            if entries.last?.key.hasSameBytes(as: pair.0) == true { entries.removeLast() }
            entries.append(Entry(key: pair.0, value: pair.1))
        }
    }

    /// Entries of a literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }

    /// Whether there are no entries.
    public var isEmpty: Bool { entries.isEmpty }

    /// How many entries there are.
    public var count: Int { entries.count }

    /// The value of a name, compared byte for byte; setting nil removes it.
    public subscript(key: String) -> String? {
        get { entries.first { $0.key.hasSameBytes(as: key) }?.value }
        set {
            entries.removeAll { $0.key.hasSameBytes(as: key) }
            guard let newValue else { return }
            let place = entries.firstIndex { Self.precedes(key, $0.key) } ?? entries.count
            entries.insert(Entry(key: key, value: newValue), at: place)
        }
    }

    /// These entries, and those of another one over them.
    public func overlaid(by other: Metadata) -> Metadata {
        if isEmpty { return other }
        if other.isEmpty { return self }
        return Metadata((entries + other.entries).map { ($0.key, $0.value) })
    }

    /// Without the entries that a condition picks.
    func removing(where picks: (Entry) -> Bool) -> Metadata {
        var rest = self
        rest.entries.removeAll(where: picks)
        return rest
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        let (left, right) = (left.utf8.span, right.utf8.span)
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return left[index] < right[index]
        }
        return left.count < right.count
    }
}
