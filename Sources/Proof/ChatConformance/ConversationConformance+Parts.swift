internal import ChatModel

// Contents in parts (`Specs/contracts.md`, PART).
extension Conformance {
    static func checkParts(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("PART-1", "a part arrives as the part that it is, under one reference; else it is refused") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            var references: Set<String?> = []
            let parts: [(Part, Bytes)] = [
                (.delta, [1]), (.delta, [2]), (.snapshot, [1, 2]), (.cut(.complete), [1, 2, 3]),
            ]
            for (part, content) in parts {
                var step = dice.step()
                do throws(Refusal) {
                    try pair.saro.perform(.send(content, part: part), as: ContentID(77), in: &step)
                } catch {
                    try expect(error.cause.code == "unsupported", "\(part.word) is refused as \(error)")
                    try expect(step.isUntouched, "a refused part left something in its turn")
                    continue
                }
                let received = try pair.hear(step.sends.map(\.routed), &dice)
                let isSame = received.map(\.part) == [part] && received.map(\.content) == [content]
                try expect(isSame, "\(part.word) arrived as \(received.map(\.part.word))")
                references.formUnion(received.map(\.reference))
            }
            try expect(references.count <= 1, "parts of one content have references \(references)")
        }
        checker.check("DURABLE-5", "after a restart of who sends it, a content in parts goes on with a snapshot") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for (part, content) in [(Part.delta, Bytes([1])), (.snapshot, [1, 2]), (.cut(.complete), [1, 2, 3])] {
                var step = dice.step()
                do throws(Refusal) {
                    try pair.saro.perform(.send(content, part: part), as: ContentID(77), in: &step)
                } catch {
                    throw .notApplicable("contents come whole")
                }
                let received = try pair.hear(step.sends.map(\.routed), &dice)
                let isSame = received.map(\.part) == [part] && received.map(\.content) == [content]
                try expect(isSame, "over restarts, \(part.word) arrived as \(received.map(\.part.word))")
                try pair.restart(type, saro: true)
            }
        }
        checker.check("PART-2", "after the last part of a content nothing follows under its id") { dice throws(Stop) in
            for last in [Part.whole, .cut(.complete)] {
                var pair = try Pair(type, &dice)
                var step = dice.step()
                do throws(Refusal) {
                    try pair.saro.perform(.send([1], part: .delta), as: ContentID(77), in: &step)
                    try pair.saro.perform(.send([1], part: last), as: ContentID(77), in: &step)
                } catch {
                    throw .notApplicable("contents come whole")
                }
                for part in [Part.delta, .snapshot, .whole, .cut(.complete)] {
                    _ = try refusal(of: "\(part.word) after \(last.word)") { () throws(Refusal) in
                        try pair.saro.perform(.send([2], part: part), as: ContentID(77), in: &step)
                    }
                }
            }
        }
    }
}
