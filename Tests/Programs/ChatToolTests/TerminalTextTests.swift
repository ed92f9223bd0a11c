import ChatTool
import Testing

@Test func `what others wrote reaches a terminal as it can be seen (PEER-19)`() {
    let hidden = [
        0x00, 0x07, 0x1B, 0x7F, 0x85, 0x9B, 0xAD, 0x061C, 0x115F, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F,
        0x2028, 0x2029,
        0x202A, 0x202E, 0x2060, 0x2066, 0x2069, 0x3164, 0xE000, 0xF8FF, 0xFE0F, 0xFEFF, 0xFFF9, 0xE0041, 0xF0000,
        0x10FFFD,
        0x0378,
    ]
    for value in hidden {
        let scalar = String(Unicode.Scalar(UInt32(value)).map(Character.init) ?? " ")
        #expect("a\(scalar)b".forTerminal == "a\u{FFFD}b", "U+\(String(value, radix: 16))")
    }
    #expect("one\ntwo\tthree".forTerminal == "one\n    two    three")
    for text in ["Grüße, 你好, שלום, नमस्ते", "👨‍👩‍👧 ❤️ 👍🏽 ☺︎", "e\u{301}"] { #expect(text.forTerminal == text) }
}

@Test func `a mistyped word is near the one that was meant`() {
    let words = ["/intro", "/connect", "/to", "/conversations", "/help", "/quit"]
    for (typed, meant) in [
        ("/hlep", "/help"), ("/conect", "/connect"), ("/qiut", "/quit"), ("/conversation", "/conversations"),
        ("/HELP", nil), ("/nonsense", nil), ("/", nil),
    ] {
        #expect(Spelling.nearest(to: typed, among: words) == meant, "\(typed)")
    }
}
