import AgentChat
import ChatCodec
import TestSupport
import Testing

struct CodecTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(
        arguments: [
            #"{"type":"run","data":{"id":"chat_1","message":{"id":"m1","role":"user","parts":[{"type":"text","text":"Book a table for two"}]},"vaultItems":[],"timezone":"Europe/Paris"}}"#,
            #"{"type":"get_chat","data":{"id":"chat_1"}}"#,
            #"{"type":"cancel","data":{"job_id":"j1","id":"chat_1"}}"#,
            #"{"type":"clarify_response","data":{"job_id":"j1","request_id":"q1","answers":[{"question_id":"when","option_ids":["sat"]}]}}"#,
            #"{"type":"inject_message","data":{"job_id":"j1","inject_id":"i1","text":"for three"}}"#,
        ])
    func `a command comes out byte for byte as it went in (AC-03, AC-35)`(frame: String) throws {
        let frame = bytes(frame)
        let command = try AgentJSON().command(frame.span)
        #expect(AgentJSON().encode(command) == frame)
        #expect(throws: Violation.self) { try AgentJSON(.conformant).serverMessage(frame.span) }
    }

    @Test(
        arguments: [
            #"{"type":"ready","chat_id":"chat_1","protocol":"0.1","active_job":null}"#,
            #"{"type":"ready","active_job":{"job_id":"j1","message_id":"a1"}}"#,
            #"{"type":"run","job_id":"j1","message_id":"a1"}"#,
            #"{"type":"stream","message_id":"a1","delta":{"type":"text","text":"Looking","state":"streaming"},"seq":18446744073709551615}"#,
            #"{"type":"stream_resume","message_id":"a1","job_id":"j1","parts":[{"type":"step-start"},{"type":"data-table","id":"","data":{"z":1e400,"a":[9007199254740993]}}]}"#,
            #"{"type":"chat_history","initialPath":[{"id":"m1","role":"user","parts":[{"type":"file","mediaType":"image/png","url":"data:,"}],"parent_id":null},{"id":"a1","role":"assistant","parts":[],"parent_id":"m1"}]}"#,
            #"{"type":"done"}"#, #"{"type":"cancel","job_id":"j1"}"#,
            #"{"type":"error","message":"no table","error":"full","code":"internal","job_id":"j1"}"#,
            #"{"type":"clarify_request","job_id":"j1","request_id":"q1","questions":[{"id":"when","text":"When?","options":[{"id":"fri","label":"Friday"}],"multiple":false}]}"#,
            #"{"type":"inject_ack","job_id":"j1","inject_id":"i1"}"#,
            #"{"type":"inject_split","job_id":"j1","inject_id":"i1","message_id":"a1","user_message_id":"m2","new_message_id":"a2"}"#,
        ])
    func `a server message comes out byte for byte as it went in (AC-03, AC-35)`(frame: String) throws {
        let frame = bytes(frame)
        let message = try AgentJSON().serverMessage(frame.span)
        #expect(AgentJSON().encode(message) == frame)
        #expect(throws: Violation.self) { try AgentJSON(.conformant).command(frame.span) }
    }

    @Test(arguments: [
        (#"{"type":"text","text":1}"#, "AC-11: .text is no text"),
        (
            #"{"type":"tool-pay","toolCallId":"c","state":"output-denied","input":1,"approval":{"id":"p","approved":true}}"#,
            "AC-18: .approval.approved is true"
        ),
        (#"{"type":"text","text":"","mood":1}"#, "AC-05: .mood is not known here"),
        (
            #"{"type":"source-url","sourceId":"\u0007","url":""}"#,
            "AC-06: .sourceId is empty, too long, or has control characters"
        ),
    ])
    func `a violation names rule, place and reason`(part: String, line: String) {
        let part = bytes(part)
        let violation = #expect(throws: Violation.self) { try AgentJSON().part(part.span) }
        #expect(violation?.description == line)
    }

    @Test func `a frame that breaks the transport's rules says how to close (AC-01)`() {
        let long = [UInt8](repeating: 0x20, count: AgentJSON.maximumFrame + 1)
        let latin = bytes(#"{"type":"ready","chat_id":""#) + [0xe9] + bytes("\"}")
        #expect(throws: Violation.self) { try AgentJSON().serverMessage(long.span) }
        #expect((#expect(throws: Violation.self) { try AgentJSON().serverMessage(long.span) })?.closeCode == 1009)
        #expect((#expect(throws: Violation.self) { try AgentJSON().serverMessage(latin.span) })?.closeCode == 1007)
        #expect(AgentJSON.binaryFrame.closeCode == 1003)
    }

    @Test(arguments: [(128, true), (129, false)])
    func `a frame nests 128 levels deep and no deeper (AC-01)`(depth: Int, isGood: Bool) {
        let inner = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
        let frame = bytes(#"{"type":"data-deep","data":"# + inner + "}")
        let isRead = (try? AgentJSON().part(frame.span)) != nil
        #expect(isRead == isGood)
    }

    @Test(arguments: [
        ("https://x", true), ("HTTP://x", true), ("data:image/png;base64,", true), ("blob:x", true),
        ("javascript:alert(1)", false), ("file:///etc/passwd", false), ("//x", false), ("", false),
    ])
    func `only four schemes are fetched or shown (AC-13)`(url: String, isFetchable: Bool) {
        #expect(FilePart(mediaType: "image/png", url: url).isFetchable == isFetchable)
    }

    @Test func `ids that only look alike are two ids (AC-06)`() {
        let composed: Identifier = "\u{e9}"
        #expect(composed != "e\u{301}" && Set([composed, "e\u{301}"]).count == 2)
        #expect(Identifier(checking: String(repeating: "\u{1f40e}", count: 256)) != nil)
        #expect(Identifier(checking: String(repeating: "a", count: 257)) == nil && Identifier(checking: "") == nil)
        #expect(
            Identifier(checking: "a\u{85}") == nil && Identifier(checking: "a\u{7f}") == nil
                && Identifier(checking: "\u{a0}") != nil)
    }

    @Test(arguments: [
        ("2026-05-01T10:00:00Z", true), ("2026-05-01t10:00:60.25-23:59", true), ("2024-02-29T00:00:00Z", true),
        ("2026-02-29T00:00:00Z", false), ("2026-13-01T00:00:00Z", false), ("2026-05-01T24:00:00Z", false),
        ("2026-05-01T10:00:00", false), ("2026-05-01T10:00:00.Z", false), ("2026-05-01 10:00:00Z", false),
    ])
    func `a date is one of RFC 3339 (AC-04)`(date: String, isGood: Bool) {
        let message = bytes(#"{"id":"m","role":"assistant","parts":[],"created_at":"\#(date)"}"#)
        let isRead = (try? AgentJSON().message(message.span)) != nil
        #expect(isRead == isGood)
    }

    @Test func `whatever is read from 50,000 hostile frames is written and read as the same (AC-35)`() throws {
        let valid = [
            #"{"type":"stream","message_id":"a1","delta":{"type":"tool-pay","toolCallId":"c","state":"output-available","input":{"n":1.5},"output":null,"approval":{"id":"p","approved":true}},"seq":7}"#,
            #"{"type":"error","message":"\u00e9"}"#,
            #"{"type":"clarify_request","job_id":"j","request_id":"q","questions":[{"id":"w","text":"?","multiple":true}]}"#,
        ]
        var inputs = HostileInputs(seed: 11, valid: valid.map { Array($0.utf8) }, longest: 64)
        var (read, different) = (0, 0)
        for codec in [AgentJSON(.strict), AgentJSON(.conformant)] {
            inputs.forEach(25_000) { bytes in
                _ = try? codec.command(bytes.span)
                guard let message = try? codec.serverMessage(bytes.span) else { return }
                read += 1
                let again = codec.encode(message)
                if (try? codec.serverMessage(again.span)).map({ codec.encode($0) }) != again { different += 1 }
            }
        }
        #expect(read > 100 && different == 0)
    }
}
