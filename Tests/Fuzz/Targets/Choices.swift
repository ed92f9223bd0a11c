import ChatModel

/// Decisions read from an input, so that a fuzzer that changes a byte changes one decision, and what follows stays.
///
/// Once the input is used up, every decision is the first one there is.
struct Choices {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    /// Whether every decision of the input was taken.
    var isOver: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// A number below a bound, which must be positive.
    mutating func below(_ bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        guard bound > 256 else { return Int(byte()) % bound }
        return (Int(byte()) << 16 | Int(byte()) << 8 | Int(byte())) % bound
    }

    /// Whether the first of so many cases is chosen.
    mutating func isOne(of cases: Int) -> Bool { below(cases) == 0 }

    /// One of several values.
    mutating func one<Value>(of values: Value...) -> Value { values[below(values.count)] }

    /// One element of a list; nil where it has none.
    mutating func one<Value>(of values: [Value]) -> Value? {
        values.isEmpty ? nil : values[below(values.count)]
    }

    /// A number that decoders get wrong: small, beside a power of two, beside the largest, beside a given one, any.
    mutating func number(near anchors: UInt64...) -> UInt64 {
        switch below(6) {
        case 0, 1: return UInt64(below(8))
        case 2: return (1 << UInt64(below(64))) &+ UInt64(below(3)) &- 1
        case 3: return .max - UInt64(below(3))
        case 4: return (one(of: anchors) ?? 0) &+ UInt64(below(5)) &- 2
        default: return (0..<8).reduce(0) { number, _ in number << 8 | UInt64(byte()) }
        }
    }

    /// Some bytes.
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in byte() } }

    /// A text, mostly one of several names, sometimes none, a long one, or one outside ASCII.
    mutating func text(of names: String...) -> String {
        switch below(12) {
        case 0: ""
        case 1: String(repeating: "x", count: one(of: 1, 32, 64, 65, 254, 255, 256, 300))
        case 2: one(of: "é", "e\u{301}", "\u{0}", "a/b", "😀")
        default: one(of: names) ?? ""
        }
    }

    /// Bytes nearly as they were: often the same, else cut, with a bit changed, longer or twice.
    mutating func nearly(_ bytes: [UInt8]) -> [UInt8] {
        switch below(8) {
        case 0: return Array(bytes.prefix(below(bytes.count + 1)))
        case 1:
            var changed = bytes
            if let place = changed.indices.first.map({ _ in below(bytes.count) }) {
                changed[place] ^= 1 << (byte() & 7)
            }
            return changed
        case 2: return bytes + self.bytes(below(4))
        case 3: return bytes + bytes
        default: return bytes
        }
    }

    /// The milliseconds by which time goes on: nothing, a moment, hours, months, for ever.
    mutating func wait() -> UInt64 {
        switch below(8) {
        case 0: 0
        case 1, 2: UInt64(below(200))
        case 3, 4: UInt64(below(20_000))
        case 5: UInt64(below(1 << 24))
        case 6: UInt64(below(1 << 24)) << 10
        default: number()
        }
    }
}

extension FuzzTarget {
    /// A target whose inputs are decisions: what a generator makes of them is one run of one machine.
    static func generated(
        _ name: String, steps: Int = 64, inputs: Int = 500,
        _ run: @escaping @Sendable (inout Choices, _ steps: Int) async throws -> Void
    ) -> FuzzTarget {
        let seeds = (0..<4).map { seed in
            var random: any RandomSource = RepeatableRandom(seed: UInt64(seed), stream: 77)
            return random.bytes(512, for: .identifier)
        }
        return FuzzTarget("steps-\(name)", seeds: seeds, isGenerated: true, inputs: inputs) { bytes in
            var choices = Choices(bytes)
            try await run(&choices, steps)
            return true
        }
    }
}

extension Timestamp {
    /// A later time, at most the last one there is.
    func later(_ milliseconds: UInt64) -> Timestamp {
        let (sum, isBeyond) = self.milliseconds.addingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: isBeyond ? .max : sum)
    }
}
