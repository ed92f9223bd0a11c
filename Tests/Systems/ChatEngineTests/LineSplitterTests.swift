import ChatEngine
import ChatModel
import TestSupport
import Testing

struct LineSplitterTests {
    private let text = Array("{\"a\":1}\n\n  \r\n{\"b\":\"ä\u{1f30a}\"}\r\n{}".utf8)

    @Test(arguments: 1...16) func `where pieces end means nothing (CE-01, CE-02)`(size: Int) throws {
        var splitter = LineSplitter()
        var lines: [[UInt8]] = []
        for start in stride(from: 0, to: text.count, by: size) {
            splitter.append(Array(text[start..<min(start + size, text.count)]).span)
            while let line = try splitter.next() { lines.append(line) }
        }
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["{\"a\":1}", "{\"b\":\"ä\u{1f30a}\"}\r"])
        let last = try splitter.last()
        #expect(last == Array("{}".utf8))
        #expect(splitter.waiting == 0)
    }

    @Test(arguments: [1, 3, 9]) func `a line that is too long is refused before its end has come (CE-02)`(size: Int)
        throws
    {
        var splitter = LineSplitter(maximumLine: 8)
        splitter.append([UInt8](repeating: 0x20, count: 7).span)
        splitter.append([0x61, 0x0a].span)
        let line = try splitter.next()
        #expect(line?.count == 8)
        var refused = 0
        for _ in 0..<(9 / size) {
            splitter.append([UInt8](repeating: 0x61, count: size).span)
            do { while try splitter.next() != nil {} } catch { refused += 1 }
        }
        #expect(refused == 1)
    }

    @Test(.timeLimit(.minutes(30))) func `a megabyte in single bytes costs no more than it has bytes`() throws {
        var splitter = LineSplitter()
        var lines = 0
        for index in 0..<(1 << 20) {
            splitter.append([index % 1_024 == 1_023 ? 0x0a : 0x61].span)
            while try splitter.next() != nil { lines += 1 }
        }
        #expect(lines == 1_024)
    }
}
