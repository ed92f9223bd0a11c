import ChatModel

@testable import ChatReliability

/// An id, where the text is one.
func name(_ text: String) -> Identifier { Identifier(text) ?? Identifier() }
let sdsName = name("0")
let sdsStart = Timestamp(milliseconds: 1_000_000)

func sdsSettings(_ change: (inout SDSSettings) -> Void = { _ in }) -> SDSSettings {
    var settings = SDSSettings()
    change(&settings)
    return settings
}

func sdsChannel(_ participant: String, _ settings: SDSSettings = SDSSettings()) -> SDSChannel {
    SDSChannel(name(participant), channel: sdsName, settings: settings, now: sdsStart)
}

/// A message of Raya as bytes.
func sdsMessage(
    _ id: String, sender: String = "raya", channel: Identifier = sdsName, lamport: UInt64? = 1_000_001,
    after history: [String] = [], filter: Bytes? = nil, repairs: [String] = [], content: Bytes? = Bytes("content")
) -> Bytes {
    SDSMessage(
        sender: name(sender), id: name(id), channel: channel, lamport: lamport,
        history: history.map { .init(name($0)) }, filter: filter, repairs: repairs.map { .init(name($0)) },
        content: content
    ).encoded()
}
