import ChatModel
import TestSupport
import Testing

private func prefix(_ bytes: inout Bytes, _ header: [UInt8]) {
    bytes.prepend(header.count) { room in
        for byte in header { room.append(byte) }
    }
}

@Test(arguments: [0, 1, 2, 3, 8]) func `headers go in front, with head room or without`(headRoom: Int) {
    var bytes = Bytes(headRoom: headRoom, count: 2) { output in
        output.append(7)
        output.append(8)
    }
    #expect(bytes == [7, 8] && bytes.count == 2)
    prefix(&bytes, [5, 6])
    prefix(&bytes, [4])
    #expect(bytes.array == [4, 5, 6, 7, 8])
    prefix(&bytes, [])
    #expect(bytes.array == [4, 5, 6, 7, 8])
}

@Test func `a header written into shared storage changes nobody else's bytes`() {
    let datagram: Bytes = [1, 2, 3, 4, 5]
    var part = datagram.slice(2..<4)
    prefix(&part, [9, 9])
    #expect(part == [9, 9, 3, 4])
    #expect(datagram == [1, 2, 3, 4, 5])
    let copy = part
    prefix(&part, [8, 8, 8])
    part.withMutableSpan { $0[6] = 0 }
    #expect(part == [8, 8, 8, 9, 9, 3, 0] && copy == [9, 9, 3, 4])
}

@Test func `slices of slices count from their own first byte`() {
    let bytes = Bytes(Array(0..<10))
    let inner = bytes.slice(2..<9).slice(1..<5)
    #expect(inner == [3, 4, 5, 6] && inner[0] == 3 && inner.count == 4)
    #expect(inner.slice(4..<4).isEmpty && bytes.slice(0..<10) == bytes)
    #expect(inner.array == [3, 4, 5, 6] && Bytes(copying: inner.span) == inner)
}

@Test func `bytes are equal by content and hash alike, whatever head room they have`() {
    let plain: Bytes = [1, 2]
    let roomy = Bytes(headRoom: 30, count: 2) { output in
        output.append(1)
        output.append(2)
    }
    #expect(plain == roomy && plain.hashValue == roomy.hashValue)
    #expect(plain != [1, 2, 3] && plain != [1, 3] && Bytes() == [])
    #expect(Bytes("aé") == [0x61, 0xC3, 0xA9])
    #expect("\(plain)" == "Bytes(2)", "content does not belong in logs")
}

@Test(.timeLimit(.minutes(30))) func `a slice from outside the bytes stops the program instead of reading on`() async {
    await #expect(processExitsWith: .failure) { _ = Bytes([1, 2, 3]).slice(1..<3).slice(0..<3) }
    await #expect(processExitsWith: .failure) { _ = Bytes([1, 2, 3]).slice(1..<2)[1] }
}
