extension JSON {
    /// The deepest nesting of arrays and objects that is read unless the caller says otherwise: no format of this
    /// module nests deeper than ten levels.
    public static let maximumDepth = 64
    /// The longest text that is read unless the caller says otherwise: 1 MiB, which a value fills some 30 times in memory.
    public static let maximumBytes = 1 << 20

    /// Reads a text as RFC 8259 has it: strict UTF-8, no comments, no trailing commas, no key twice.
    public init(parsing text: String, maximumBytes: Int = JSON.maximumBytes) throws(WireError) {
        try self.init(parsing: Array(text.utf8), maximumBytes: maximumBytes)
    }

    /// Reads the bytes of a text.
    public init(parsing bytes: [UInt8], maximumBytes: Int = JSON.maximumBytes) throws(WireError) {
        try self.init(parsing: bytes.span, maximumBytes: maximumBytes)
    }

    /// Reads the bytes of a text; each level of nesting costs some 300 bytes of stack.
    public init(
        parsing bytes: Span<UInt8>, maximumBytes: Int = JSON.maximumBytes, maximumDepth: Int = JSON.maximumDepth
    ) throws(WireError) {
        guard bytes.count <= maximumBytes else {
            throw .tooLong("JSON text", bytes: bytes.count, limit: maximumBytes)
        }
        var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth)
        self = try parser.whole()
    }
}

/// A recursive descent over the bytes; the depth bounds the recursion.
private struct JSONParser: ~Escapable {
    private let bytes: Span<UInt8>
    private let maximumDepth: Int
    private var offset = 0

    @_lifetime(copy bytes)
    init(bytes: Span<UInt8>, maximumDepth: Int) {
        (self.bytes, self.maximumDepth) = (bytes, maximumDepth)
    }

    @_lifetime(self: copy self)
    mutating func whole() throws(WireError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw .badCharacter(at: offset) }
        return value
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    @_lifetime(self: copy self)
    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
    }

    /// Takes one byte if it is this one.
    @_lifetime(self: copy self)
    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    @_lifetime(self: copy self)
    private mutating func expect(_ byte: UInt8) throws(WireError) {
        guard take(byte) else { throw unexpected() }
    }

    private func unexpected() -> WireError {
        next == nil ? .truncated(needed: 1, at: offset) : .badCharacter(at: offset)
    }

    @_lifetime(self: copy self)
    private mutating func value(depth: Int) throws(WireError) -> JSON {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    @_lifetime(self: copy self)
    private mutating func word(_ word: StaticString, _ value: JSON) throws(WireError) -> JSON {
        for index in 0..<word.utf8CodeUnitCount { try expect(unsafe word.utf8Start[index]) }
        return value
    }

    @_lifetime(self: copy self)
    private mutating func enter(depth: Int) throws(WireError) {
        guard depth <= maximumDepth else { throw .tooDeep(limit: maximumDepth, at: offset) }
        offset += 1
        skipSpace()
    }

    @_lifetime(self: copy self)
    private mutating func array(depth: Int) throws(WireError) -> JSON {
        try enter(depth: depth)
        var list: [JSON] = []
        if take(UInt8(ascii: "]")) { return .array(list) }
        while true {
            list.append(try value(depth: depth))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(list) }
            try expect(UInt8(ascii: ","))
        }
    }

    @_lifetime(self: copy self)
    private mutating func object(depth: Int) throws(WireError) -> JSON {
        try enter(depth: depth)
        var members: [JSON.Member] = []
        var keys = Keys()
        if take(UInt8(ascii: "}")) { return .object(JSON.Object()) }
        while true {
            skipSpace()
            let start = offset
            let key = try string()
            guard keys.insert(key, after: members) else { throw .duplicateKey(key, at: start) }
            skipSpace()
            try expect(UInt8(ascii: ":"))
            members.append(JSON.Member(key: key, value: try value(depth: depth)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(JSON.Object(distinct: members)) }
            try expect(UInt8(ascii: ","))
        }
    }
}

/// The keys of one object. A few are compared one by one, which needs no memory; of many a set is made, because
/// comparing every key with every other would be quadratic in what a stranger sends.
private struct Keys {
    private static let few = 16
    private var set: Set<ExactText> = []

    /// Adds a key, unless it is there already.
    mutating func insert(_ key: String, after members: [JSON.Member]) -> Bool {
        guard members.count >= Self.few else {
            for member in members where ExactText.isSame(member.key, key) { return false }
            return true
        }
        if set.isEmpty { for member in members { set.insert(ExactText(member.key)) } }
        return set.insert(ExactText(key)).inserted
    }
}

// Numbers.
extension JSONParser {
    @_lifetime(self: copy self)
    private mutating func number() throws(WireError) -> JSON {
        let start = offset
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
            try digits()
        }
        let text = try text(bytes.extracting(start..<offset), at: start)
        if isWhole, let value = Int64(text) { return .integer(value) }
        if isWhole, let value = UInt64(text) { return .unsigned(value) }
        let exact = JSON.Decimal(checked: text)
        guard let value = exact.double, JSON.Decimal(checked: "\(value)") == exact else { return .decimal(exact) }
        return .number(value)
    }

    @_lifetime(self: copy self)
    private mutating func digits() throws(WireError) {
        guard let first = next, isDigit(first) else { throw unexpected() }
        while let byte = next, isDigit(byte) { offset += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

// Texts.
extension JSONParser {
    @_lifetime(self: copy self)
    private mutating func string() throws(WireError) -> String {
        try expect(UInt8(ascii: "\""))
        var result = ""
        var start = offset
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                let rest = try text(bytes.extracting(start..<offset), at: start)
                offset += 1
                return result.isEmpty ? rest : result + rest
            case UInt8(ascii: "\\"):
                result += try text(bytes.extracting(start..<offset), at: start)
                result.unicodeScalars.append(try escape())
                start = offset
            case 0..<0x20: throw .badCharacter(at: offset)
            default: offset += 1
            }
        }
        throw .truncated(needed: 1, at: offset)
    }

    @_lifetime(self: copy self)
    private mutating func escape() throws(WireError) -> Unicode.Scalar {
        let start = offset
        offset += 1
        guard let byte = next else { throw unexpected() }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try codePoint(from: start)
        default: throw .badCharacter(at: start)
        }
    }

    /// Four digits, or twice four for a pair of surrogates; a lone surrogate is no character.
    @_lifetime(self: copy self)
    private mutating func codePoint(from start: Int) throws(WireError) -> Unicode.Scalar {
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw .badCharacter(at: start) }
        let second = try fourDigits()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw .badCharacter(at: start) }
        return scalar
    }

    @_lifetime(self: copy self)
    private mutating func fourDigits() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Hex.digit(byte) else { throw unexpected() }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }
}
