import AgentChatTalk
import Testing

struct LineEditorTests {
    private func inputs(_ bytes: [UInt8], _ editor: inout LineEditor) -> [LineEditor.Input] {
        var inputs: [LineEditor.Input] = []
        for byte in bytes { inputs.append(editor.take(byte)) }
        return inputs.filter { $0 != .nothing }
    }

    @Test func `characters of several bytes are typed and wiped whole`() {
        var editor = LineEditor()
        #expect(inputs(Array("aé🙂".utf8), &editor) == [.typed("a"), .typed("é"), .typed("🙂")])
        #expect(inputs([0x7F, 0x08], &editor) == [.erased(2), .erased(1)])
        #expect(inputs(Array("b\r".utf8), &editor) == [.typed("b"), .line("ab")])
        #expect(editor.line.isEmpty)
    }

    @Test func `arrows and what is no UTF-8 do nothing, Control-D ends an empty line alone`() {
        var editor = LineEditor()
        let keys: [UInt8] = [0x1B, 0x5B, 0x41, 0x1B, 0x5B, 0x33, 0x7E, 0x1B, 0x4F, 0x50, 0xFF, 0xC3, 0x07]
        #expect(inputs(keys, &editor).isEmpty)
        #expect(inputs(Array("x".utf8) + [0x04, 0x15, 0x04], &editor) == [.typed("x"), .erased(1), .end])
    }

    @Test func `a line has a bound`() {
        var editor = LineEditor()
        _ = inputs([UInt8](repeating: 0x78, count: LineEditor.maximumLine + 10), &editor)
        #expect(editor.line.utf8.count == LineEditor.maximumLine)
    }
}
