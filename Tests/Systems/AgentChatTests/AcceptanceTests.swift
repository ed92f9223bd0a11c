import ChatCodec
import ChatModel
import Testing

@testable import AgentChat

/// What is accepted can be written again, is in the history, and comes back; what cannot be is refused when it comes.
struct AcceptanceTests {
    private let codec = AgentJSON()
    /// 2 bytes each on the wire, 6 as our encoder writes them.
    private let backspaces = String(repeating: "\u{8}", count: 180_000)

    private func heardSide() -> AgentSide {
        var side = AgentSide(chat: "c")
        _ = receive(#"{}"#, at: &side)
        return side
    }

    private func receive(_ text: String, at side: inout AgentSide) -> SideOutput {
        var count = side.chat.order.count
        return side.receive(Array(text.utf8).span, limit: AgentJSON.maximumFrame) {
            count += 1
            return Identifier(checking: "s\(count)") ?? "s"
        }
    }

    private func run(_ id: String, _ text: String = "hello", metadata: String? = nil) -> String {
        let extra = metadata.map { #","metadata":\#($0)"# } ?? ""
        return #"{"type":"run","data":{"id":"c","message":{"id":"\#(id)","role":"user","parts":[{"type":"text","#
            + #""text":"\#(text)"}]\#(extra)},"vaultItems":[],"timezone":"UTC"}}"#
    }

    private func inject(_ id: String, _ text: String, job: Identifier?) -> String {
        #"{"type":"inject_message","data":{"job_id":"\#(job?.text ?? "")","inject_id":"\#(id)","text":"\#(text)"}}"#
    }

    private func rules(_ output: SideOutput) -> [Rule] {
        output.events.compactMap { if case .violation(let violation) = $0 { violation.rule } else { nil } }
    }

    private func messages(_ output: SideOutput) -> [ServerMessage] {
        output.frames.compactMap { try? codec.serverMessage($0.span) }
    }

    @Test func `a message that grows beyond a frame when it is written again is refused, in all its fields (AC-01)`() {
        let escapes = String(repeating: #"\b"#, count: 180_000)
        for frame in [run("m", escapes), run("m", metadata: #"{"k":"\#(escapes)"}"#)] {
            var side = heardSide()
            let before = side
            #expect(rules(receive(frame, at: &side)) == [.frame])
            #expect(side == before)
            #expect(rules(receive(run("m"), at: &side)).isEmpty && side.chat.job.isLive)
        }
    }

    @Test func `the texts put into a job have a limit together, which is that of a message (AC-01)`() {
        var side = heardSide()
        _ = receive(run("m"), at: &side)
        let job = side.chat.job.id
        let escapes = String(repeating: #"\b"#, count: 180_000)
        #expect(rules(receive(inject("i", escapes, job: job), at: &side)) == [.frame])
        let half = String(repeating: "x", count: 600_000)
        #expect(rules(receive(inject("i", half, job: job), at: &side)).isEmpty)
        #expect(rules(receive(inject("k", half, job: job), at: &side)) == [.frame])
    }

    @Test func `the reason of an approval that makes the message too long is refused (AC-01)`() throws {
        var side = heardSide()
        _ = receive(run("m"), at: &side)
        var call = ToolPart(name: .fixed("pay"), callID: "t", state: .inputAvailable(input: ["sum": 1]))
        _ = try side.write(.tool(call))
        call.state = .approvalRequested(input: ["sum": 1], id: "p")
        _ = try side.write(.tool(call))
        _ = try side.finish()
        let message = try #require(side.chat.job.message)
        let before = side
        call.state = .approvalResponded(input: ["sum": 1], .init(id: "p", approved: true, reason: backspaces))
        let answer = Message(id: message, role: .assistant, parts: [.tool(call)])
        // As another encoder may write it, with short escapes.
        let frame = String(decoding: codec.encode(.run(.init(chat: "c", message: answer))), as: UTF8.self)
            .split(separator: #"\u0008"#, omittingEmptySubsequences: false).joined(separator: #"\b"#)
        #expect(frame.utf8.count < AgentJSON.maximumFrame)
        #expect(rules(receive(frame, at: &side)) == [.frame] && side == before)
    }

    @Test func `a text is acknowledged when the agent takes it; else it is told as not read (7.3)`() throws {
        var side = heardSide()
        _ = receive(run("m"), at: &side)
        let job = side.chat.job.id
        #expect(receive(inject("i1", "taken", job: job), at: &side).frames.isEmpty)
        #expect(receive(inject("i1", "taken", job: job), at: &side).frames.isEmpty)
        _ = receive(inject("i2", "left", job: job), at: &side)
        #expect(throws: Violation.self) { try side.split(at: "unknown", user: "u", new: "n") }
        let split = messages(try side.split(at: "i1", user: "u1", new: "n1"))
        guard split.count == 2, case .injectAck(_, "i1") = split[0], case .injectSplit = split[1] else {
            Issue.record("\(split)")
            return
        }
        #expect(receive(inject("i1", "taken", job: job), at: &side).frames.count == 1)
        let end = try side.finish()
        #expect(end.events.contains { if case .ended(.completed, _, ["left"]) = $0 { true } else { false } })
        #expect(side.chat.shown.map(\.text).contains("taken"))
    }

    @Test func `an inject_id that belongs to another text is refused (AC-26)`() {
        var side = heardSide()
        _ = receive(run("m"), at: &side)
        let job = side.chat.job.id
        _ = receive(inject("i", "one", job: job), at: &side)
        #expect(rules(receive(inject("i", "other", job: job), at: &side)) == [.injection])
    }

    @Test func `a stored message that cannot be read costs that message, not the chat (AC-37)`() throws {
        for damage in [#"{"#, #"{"id":"m1"}"#] {
            var side = heardSide()
            for id in ["m1", "m2"] {
                _ = receive(run(id), at: &side)
                _ = try side.finish()
            }
            let before = side.chat
            var party = AgentChatParty(side)
            let records = party.takeChanges(.null).map { record in
                record.key == "message/m1" ? Record(record.key, Bytes([1] + Array(damage.utf8))) : record
            }
            let restored = try AgentChatParty.restore(records, type: "agent-chat").party
            #expect(restored.chat.shown == before.shown.filter { $0.id != "m1" })
        }
    }
}
