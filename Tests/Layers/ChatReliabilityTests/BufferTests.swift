import ChatModel
import Testing

@testable import ChatReliability

/// Where the first byte lies in memory.
private func place(of bytes: borrowing Bytes) -> Int {
    unsafe bytes.span.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
}

/// A buffer with head room, and where its bytes lie.
private func buffer(_ count: Int, headRoom: Int) -> (bytes: Bytes, place: Int) {
    let bytes = Bytes(headRoom: headRoom, count: count) { $0.append(repeating: 7, count: count) }
    let place = place(of: bytes)
    return (consume bytes, place)
}

/// A header is written into the head room that was reserved for it: no buffer is allocated for it.
@Suite struct BufferTests {
    @Test(arguments: [1, 100, 3_000]) func `a payload that fits becomes a segment where it lies`(count: Int) throws {
        let (payload, start) = buffer(count, headRoom: SegmentMessage.overhead)
        let segments = try Segmentation(segmentSize: 4_096).split(consume payload)
        #expect(segments.count == 1 && place(of: segments[0]) + segments[0].count - count == start)
    }

    @Test(arguments: [1, 100, 3_000]) func `a content becomes a message where it lies`(count: Int) throws {
        // Room for a filter too.
        let (content, start) = buffer(count, headRoom: 4_096)
        let own = try #require(Identifier("saro")), channelID = try #require(Identifier("0"))
        var channel = SDSChannel(own, channel: channelID, settings: .two, now: .zero)
        let draft = try channel.draft(consume content, id: try #require(Identifier("01")), now: .zero)
        #expect(place(of: draft.bytes) + draft.bytes.count - count == start)
    }

    @Test func `a message that keeps its content copies it, and the content stays as it was`() throws {
        let (content, _) = buffer(50, headRoom: 256)
        let own = try #require(Identifier("saro"))
        let message = SDSMessage(sender: own, id: own, channel: own, lamport: 1, content: content)
        let encoded = message.encoded()
        #expect(encoded == message.encoded() && content == Bytes([UInt8](repeating: 7, count: 50)))
        #expect(try SDSMessage(decoding: encoded) == message)
    }
}
