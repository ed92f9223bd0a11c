/// What travels between a client and a relay, as tables: datagrams by kind, frames and messages by code. A test holds
/// the inspector's own reading to them.
struct RelayLayout: Sendable {
    /// A field of a fixed place.
    enum Width: Sendable {
        /// A number of so many bytes, or so many bytes.
        case number(Int), bytes(Int)
        /// A text, or bytes, behind one byte that says how many.
        case text, short
        /// What is left: fields once more and again, frames, padding, or a payload.
        case again, frames, padding, payload
    }

    let code: Int
    let name: String
    let fields: [(name: String, width: Width)]

    private init(_ code: Int, _ name: String, _ fields: [(String, Width)]) {
        (self.code, self.name, self.fields) = (code, name, fields)
    }

    /// Behind version, kind and session.
    static let datagrams = [
        RelayLayout(1, "HELLO", [("window", .number(4)), ("cookie", .short), ("extensions and zeros", .padding)]),
        RelayLayout(2, "CHALLENGE", [("cookie", .short)]),
        RelayLayout(
            3, "WELCOME",
            [
                ("epoch", .number(8)), ("largest payload", .number(4)), ("window", .number(4)),
                ("idle time", .number(4)),
                ("quota", .number(4)), ("quota epoch", .number(4)), ("kept payloads", .number(4)),
                ("kept bytes", .number(8)), ("kept time", .number(8)), ("extensions and zeros", .padding),
            ]),
        RelayLayout(4, "RESET", [("reason", .number(1)), ("versions", .short)]),
        RelayLayout(5, "DATA", [("packet", .number(8)), ("frames", .frames)]),
    ]

    /// Behind the code.
    static let messages = [
        RelayLayout(
            1, "PUBLISH",
            [("payload id", .bytes(16)), ("address", .text), ("reply address", .text), ("payload", .payload)]),
        RelayLayout(
            2, "SUBSCRIBE",
            [
                ("subscription", .number(4)), ("since", .number(1)), ("epoch", .number(8)), ("sequence", .number(8)),
                ("address", .text),
            ]),
        RelayLayout(3, "UNSUBSCRIBE", [("subscription", .number(4))]),
        RelayLayout(
            0x81, "RESULTS",
            [
                ("message", .number(8)), ("result", .number(1)), ("first", .number(8)), ("second", .number(8)),
                ("", .again),
            ]),
        RelayLayout(
            0x82, "DELIVER",
            [
                ("subscription", .number(4)), ("sequence", .number(8)), ("payload id", .bytes(16)),
                ("reply address", .text), ("payload", .payload),
            ]),
        RelayLayout(0x83, "GONE", [("subscription", .number(4)), ("sequence", .number(8))]),
    ]
}
