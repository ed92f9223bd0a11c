import ChatEngine
import TestSupport
import Testing

/// What `Specs/chat-engine.md` prints is what the codec reads and writes.
struct SpecificationTests {
    @Test func `every line of the document is read, and written byte for byte`() throws {
        let lines = try Specification.blocks(of: "chat-engine.md").flatMap { $0.split(separator: "\n") }
        var count = 0
        for line in lines where line.hasPrefix("{") {
            let bytes = Array(line.utf8)
            let codec = EngineJSON()
            let written: [UInt8]? =
                if let event = try? codec.decode(ReplyEvent.self, from: bytes.span) {
                    codec.encode(event)
                } else if let frame = try? codec.decode(EngineFrame.self, from: bytes.span) {
                    codec.encode(frame)
                } else {
                    codec.encode(try codec.decode(ClientFrame.self, from: bytes.span))
                }
            #expect(written == bytes, "\(line)")
            count += 1
        }
        #expect(count == 7)
    }
}
