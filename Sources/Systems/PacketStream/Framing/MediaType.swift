import ChatModel

/// A MIME type: type, subtype and parameters (SA-14), read as far as the contract asks.
struct MediaType: Hashable, Sendable {
    /// The type of envelopes, as it is written (SA-07).
    static let reserved = "application/vnd.bubu.packet+json"

    /// Type and subtype, without blanks around them, in lower case.
    let essence: String
    /// Whether both, and all parameters, have the form of RFC 2045.
    let isWellFormed: Bool

    init(_ text: String) {
        // Nearly all are written as the contract has it.
        guard !text.hasSameBytes(as: Self.reserved) else {
            (essence, isWellFormed) = (Self.reserved, true)
            return
        }
        let parts = text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        essence = Text.folded(parts[0])
        isWellFormed = Self.isEssence(essence) && (parts.count == 1 || Self.areParameters(parts[1]))
    }

    /// Whether the bytes must be an envelope (SA-06).
    var isReserved: Bool { essence == Self.reserved }

    private static func isEssence(_ text: String) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return halves.count == 2 && halves.allSatisfy { !$0.isEmpty && $0.allSatisfy(isToken) }
    }

    /// `name=value` between semicolons, the value a token or in quotes; no name twice, and a last semicolon may be
    /// followed by nothing.
    private static func areParameters(_ text: Substring) -> Bool {
        var rest = text.utf8[...]
        var names: Set<String> = []
        while true {
            skipBlanks(&rest)
            if rest.isEmpty { return true }
            let name = rest.prefix(while: isToken)
            rest.removeFirst(name.count)
            skipBlanks(&rest)
            guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "="),
                names.insert(Text.lowercased(String(Substring(name)))).inserted
            else { return false }
            skipBlanks(&rest)
            guard takeValue(&rest) else { return false }
            skipBlanks(&rest)
            guard rest.isEmpty || rest.popFirst() == UInt8(ascii: ";") else { return false }
        }
    }

    private static func takeValue(_ rest: inout Substring.UTF8View) -> Bool {
        guard rest.first == UInt8(ascii: "\"") else {
            let value = rest.prefix(while: isToken)
            rest.removeFirst(value.count)
            return !value.isEmpty
        }
        rest.removeFirst()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "\\"), rest.popFirst() == nil { return false }
        }
        return false
    }

    private static func skipBlanks(_ rest: inout Substring.UTF8View) {
        while rest.first == 0x20 || rest.first == 0x09 { rest.removeFirst() }
    }

    /// A token of RFC 2045: printable ASCII but for `()<>@,;:\"/[]?=`.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"),
            UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"), UInt8(ascii: "\\"), UInt8(ascii: "\""),
            UInt8(ascii: "/"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "?"), UInt8(ascii: "="):
            false
        default: byte > 0x20 && byte < 0x7f
        }
    }
}
