import ChatCodec

extension Message {
    init(_ json: JSON, _ mode: Mode) throws(Violation) {
        let fields = try Fields(json, mode)
        try fields.allow(["id", "role", "parts", "metadata", "parent_id", "created_at"])
        id = try fields.id("id")
        guard let role = Role(rawValue: try fields.text("role", .role)) else {
            throw Violation(.role, "is none of user, assistant and system", at: ".role")
        }
        self.role = role
        parts = try fields.list("parts", missing: .field, .parts) { json throws(Violation) in
            try MessagePart(json, mode)
        }
        guard !parts.isEmpty || role == .assistant else { throw Violation(.parts, "is empty", at: ".parts") }
        metadata = fields.value("metadata")
        switch fields.value("parent_id") {
        case nil: parent = nil
        case .null?: parent = .root
        case .string(let text)?: parent = .message(try Fields.id(text, "parent_id"))
        default: throw Violation(.field, "is neither an id nor null", at: ".parent_id")
        }
        createdAt = try fields.optionalText("created_at")
        if let createdAt, !DateTime.isGood(createdAt) {
            throw Violation(.field, "is no date and time of RFC 3339", at: ".created_at")
        }
    }
}

/// Dates and times of RFC 3339, section 5.6.
enum DateTime {
    /// Whether a text is one: `2026-05-01T10:00:00.25+02:00`.
    static func isGood(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, matches(bytes[..<19]) else { return false }
        let (year, month, day) = (number(bytes[0..<4]), number(bytes[5..<7]), number(bytes[8..<10]))
        guard (1...12).contains(month), (1...days(month, year)).contains(day),
            number(bytes[11..<13]) < 24, number(bytes[14..<16]) < 60, number(bytes[17..<19]) <= 60
        else { return false }
        var rest = bytes[19...]
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix(while: isDigit).count
            guard digits > 0 else { return false }
            rest = rest.dropFirst(1 + digits)
        }
        return isOffset(rest)
    }

    private static func matches(_ bytes: ArraySlice<UInt8>) -> Bool {
        zip(bytes, "0000-00-00T00:00:00".utf8).allSatisfy { byte, form in
            switch form {
            case UInt8(ascii: "0"): isDigit(byte)
            case UInt8(ascii: "T"): byte == form || byte == UInt8(ascii: "t")
            default: byte == form
            }
        }
    }

    private static func isOffset(_ bytes: ArraySlice<UInt8>) -> Bool {
        let bytes = Array(bytes)
        if bytes.count == 1 { return bytes[0] == UInt8(ascii: "Z") || bytes[0] == UInt8(ascii: "z") }
        guard bytes.count == 6, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            bytes[3] == UInt8(ascii: ":"), bytes[1...2].allSatisfy(isDigit), bytes[4...5].allSatisfy(isDigit)
        else { return false }
        return number(bytes[1...2]) < 24 && number(bytes[4...5]) < 60
    }

    private static func days(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// The number of at most four digits.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int {
        digits.reduce(0) { $0 * 10 + Int($1 &- UInt8(ascii: "0")) }
    }
}
