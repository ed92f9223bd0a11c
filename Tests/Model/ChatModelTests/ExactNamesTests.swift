import ChatModel
import Testing

/// One accented letter in one code point and in two: the same text to Swift, not to any service or other language.
private let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")

@Test func `names that look alike and have other bytes are other names (DS-15)`() {
    #expect(composed == decomposed, "Swift takes them for one text")
    #expect(DeliveryAddress(composed) != DeliveryAddress(decomposed))
    #expect(ConversationID(composed) != ConversationID(decomposed))
    #expect(ConversationType(composed) != ConversationType(decomposed))
    #expect(Route(composed) != Route(decomposed))
    #expect(Set([DeliveryAddress(composed), DeliveryAddress(decomposed), DeliveryAddress(composed)]).count == 2)
    #expect(Set([ConversationType(composed), ConversationType(decomposed)]).count == 2)
    #expect(Set([ConversationID(composed), ConversationID(decomposed)]).count == 2)
    #expect(Set([Route(composed), Route(decomposed)]).count == 2)
}

@Test func `ids are ordered by their bytes, in one way whatever letters there are`() {
    let ids = ["", "a", "aa", "ab", "b", composed, decomposed, "\u{10FFFF}", "\u{E000}"].map { ConversationID($0) }
    for left in ids {
        for right in ids {
            let expected = left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
            #expect((left < right) == expected && (left == right) == (Array(left.text.utf8) == Array(right.text.utf8)))
        }
    }
}
