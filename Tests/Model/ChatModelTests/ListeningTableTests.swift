import ChatModel
import Testing

private let saro = Owner.conversation(ConversationID("saro"))
private let raya = Owner.conversation(ConversationID("raya"))

@Test func `a route is found by address and id, and by a condition`() {
    var table = ListeningTable()
    table.listen([Listening("a", Route("one")), Listening("b", Route("two"))], for: saro)
    table.listen([Listening("a", Route("two"))], for: raya)
    #expect(table["a", "one"]?.owner == saro)
    #expect(table["a", "two"]?.owner == raya)
    #expect(table["b", "two"]?.owner == saro)
    #expect(table["b", "one"] == nil && table["c", "one"] == nil)
    #expect(table.first(on: "a") { $0.id == "two" }?.owner == raya)
    #expect(table.first(on: "b") { $0.id == "one" } == nil)
    #expect(Set(table["a"].map(\.owner)) == [saro, raya])
}

@Test func `listening anew replaces what an owner heard, and nothing of others`() {
    var table = ListeningTable()
    table.listen([Listening("a", Route("one")), Listening("a", Route("two"))], for: saro)
    table.listen([Listening("a", Route("two"))], for: raya)
    table.listen([Listening("b", Route("one"))], for: saro)
    #expect(table["a", "one"] == nil)
    #expect(table["a", "two"]?.owner == raya)
    #expect(table["b", "one"]?.owner == saro)
    table.listen([], for: raya)
    #expect(table["a"].isEmpty)
}

@Test func `a route may be listened to with its old and its new secret`() {
    let (old, new) = (Secret(copying: [1].span), Secret(copying: [2].span))
    var table = ListeningTable()
    table.listen([Listening("a", Route("one", secret: old)), Listening("a", Route("one", secret: new))], for: saro)
    #expect(table["a"].count == 2)
    #expect(table.first(on: "a") { $0.secret == new } != nil)
}

@Test func `route ids are compared byte for byte`() {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}")
    #expect(composed == decomposed)
    var table = ListeningTable()
    table.listen([Listening("a", Route(composed))], for: saro)
    #expect(table["a", decomposed] == nil)
    table.listen([Listening("a", Route(decomposed))], for: raya)
    #expect(table["a", decomposed]?.owner == raya && table["a", composed]?.owner == saro)
}

@Test func `a header goes into the head room without moving the bytes`() {
    var bytes = Bytes(headRoom: 3, count: 2) { output in
        output.append(8)
        output.append(9)
    }
    let before = place(of: bytes)
    bytes.prepend(2) { header in
        header.append(6)
        header.append(7)
    }
    #expect(bytes == [6, 7, 8, 9])
    #expect(place(of: bytes) == before - 2)
    bytes.prepend(2) { header in header.append(repeating: 5, count: 2) }
    #expect(bytes == [5, 5, 6, 7, 8, 9])
    #expect(bytes.slice(2..<4) == [6, 7])
}

@Test func `a header in front of shared bytes leaves the others' alone`() {
    let datagram: Bytes = [1, 2, 3, 4]
    var part = datagram.slice(2..<4)
    part.prepend(1) { $0.append(9) }
    #expect(part == [9, 3, 4])
    #expect(datagram == [1, 2, 3, 4])
}

/// Where the first byte lies in memory.
private func place(of bytes: borrowing Bytes) -> Int {
    unsafe bytes.span.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
}
