import AgentChat
import ChatCodec
import ChatModel
import TestSupport
import Testing

struct AccumulatorTests {
    @Test func `folding deltas gives the same as folding what follows a snapshot at any place, for 300 seeds`() throws {
        for seed in UInt64(0)..<300 {
            var deltas = Deltas(seed: seed)
            var folded = PartAccumulator()
            var snapshots: [PartAccumulator] = [folded]
            for _ in 0..<25 {
                let (delta, consolidated) = deltas.next(after: folded.parts)
                let before = folded
                do throws(Violation) {
                    try folded.apply(delta, consolidated: consolidated)
                } catch {
                    #expect(folded == before, "seed \(seed): \(error) changed the parts")
                }
                for index in snapshots.indices { try? snapshots[index].apply(delta, consolidated: consolidated) }
                snapshots.append(PartAccumulator(folded.parts))
            }
            #expect(snapshots.allSatisfy { $0.parts == folded.parts }, "seed \(seed)")
            #expect(snapshots.allSatisfy { $0.size == folded.size }, "seed \(seed)")
            let size = folded.parts.map { AgentJSON().encode($0).count + 1 }.reduce(0, +)
            #expect(folded.size == size, "seed \(seed)")
        }
    }

    @Test func `a message does not outgrow a frame (AC-01)`() throws {
        var folded = PartAccumulator()
        let piece = MessagePart.text(TextPart(String(repeating: "\n", count: 50_000), state: .streaming))
        var violation: Violation?
        for _ in 0..<20 {
            do throws(Violation) { try folded.apply(piece) } catch {
                violation = error
                break
            }
        }
        #expect(violation?.rule == .frame && folded.size <= PartAccumulator.maximumSize)
        let resume = ServerMessage.streamResume(.init(message: "a1", parts: folded.parts))
        #expect(AgentJSON().encode(resume).count <= AgentJSON.maximumFrame)
    }

    @Test func `deltas of different spelling of one data id are different data`() throws {
        var folded = PartAccumulator()
        try folded.apply(.data(DataPart(name: "x", id: "\u{e9}", data: 1)))
        try folded.apply(.data(DataPart(name: "x", id: "e\u{301}", data: 2)))
        #expect(folded.count == 2)
    }
}

/// Deltas that mostly follow from what is there.
private struct Deltas {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private mutating func below(_ count: Int) -> Int { random.below(count) }

    mutating func next(after parts: [MessagePart]) -> (MessagePart, consolidated: Bool) {
        switch below(8) {
        case 0, 1: return (.text(text()), false)
        case 2: return (.reasoning(text()), false)
        case 3: return (.stepStart, false)
        case 4:
            return (
                .data(DataPart(name: "d\(below(2))", id: below(3) == 0 ? nil : "\(below(2))", data: JSON(below(100)))),
                false
            )
        case 5:
            if let last = parts.last { return (last, true) }
            return (.text(text()), true)
        default: return (.tool(tool()), false)
        }
    }

    private mutating func text() -> TextPart {
        let states: [TextPart.State?] = [nil, .streaming, .streaming, .done]
        let texts = ["", "Sa\"ro\n", "Raya \u{1}", "ü"]
        let metadata: JSON? = below(4) == 0 ? ["p": ["n": JSON(below(9))]] : nil
        return TextPart(texts[below(4)], state: states[below(4)], providerMetadata: metadata)
    }

    private mutating func tool() -> ToolPart {
        let states: [ToolPart.State] = [
            .inputStreaming(input: nil), .inputAvailable(input: ["n": 1]),
            .approvalRequested(input: ["n": 1], id: "p"),
            .approvalResponded(input: ["n": 1], .init(id: "p", approved: below(2) == 0)),
            .outputAvailable(input: ["n": 1.0], output: JSON(below(9)), nil, preliminary: below(2) == 0),
            .outputError(input: nil, rawInput: "{", errorText: "broke", nil),
            .outputDenied(input: ["n": 1], .init(id: "p", approved: false)),
        ]
        let call = Identifier(checking: "c\(below(3))") ?? "c"
        return ToolPart(name: below(2) == 0 ? .fixed("pay") : .dynamic("pay"), callID: call, state: states[below(7)])
    }
}
