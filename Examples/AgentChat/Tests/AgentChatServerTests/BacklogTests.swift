import NIOCore
import NIOWebSocket
import Testing

@testable import AgentChatServer

/// What waits for sockets that read slowly, for each and for all of them.
struct BacklogTests {
    private let backlog = Backlog(limit: 1_000)

    private func outbox() -> Outbox {
        let outbox = Outbox(limit: 800, backlog: backlog)
        backlog.enter(outbox)
        return outbox
    }

    private func frame(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0x20, count: count) }

    private func code(_ items: [Outbox.Item]?) -> WebSocketErrorCode? {
        if case .close(let code)? = items?.last { code } else { nil }
    }

    @Test(.timeLimit(.minutes(2)))
    func `beyond the bound of all sockets the heaviest gives way, and the others lose nothing`() async {
        let boxes = [outbox(), outbox(), outbox()]
        for (box, count) in zip(boxes, [300, 500, 100]) { box.push(frame(count)) }
        #expect(backlog.bytes == 900 && !boxes.contains { $0.isClosed })
        boxes[2].push(frame(150))
        #expect(boxes.map(\.isClosed) == [false, true, false] && backlog.bytes == 550)
        #expect(code(await boxes[1].next()) == .unknown(1013))
        #expect(await boxes[1].next() == nil)
        #expect(await boxes[2].next()?.count == 2)
        #expect(backlog.bytes == 300)
        // What is gone waits no more.
        backlog.leave(boxes[0])
        #expect(backlog.bytes == 0 && boxes[0].isClosed)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a socket that is closing gives way too, with the code it had`() async {
        let (closing, other) = (outbox(), outbox())
        closing.push(frame(700))
        closing.close(.goingAway)
        other.push(frame(400))
        #expect(!other.isClosed && backlog.bytes == 400)
        let items = await closing.next()
        #expect(items?.count == 1 && code(items) == .goingAway)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a socket beyond its own bound is closed, whatever waits for others`() async {
        let box = outbox()
        box.push(frame(500))
        box.push(frame(301))
        #expect(box.isClosed && backlog.bytes == 0)
        #expect(code(await box.next()) == .unknown(1013))
    }

    @Test(.timeLimit(.minutes(2)))
    func `what waits leaves in pieces, in order`() async {
        let box = Outbox(limit: .max)
        for count in 1...10 { box.push(frame(count * 30_000)) }
        var (sizes, pieces) = ([Int](), 0)
        while sizes.count < 10, let items = await box.next() {
            for case .text(let buffer) in items { sizes.append(buffer.readableBytes) }
            pieces += 1
        }
        #expect(sizes == (1...10).map { $0 * 30_000 } && pieces > 3)
        #expect(box.waiting == 0)
    }
}
