internal import ChatModel

// Unreliable services, limits, and unusual requests of the application.
extension Conformance {
    static func checkUnreliability(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("DS-04", "a payload that is lost takes no later one with it; a type that recovers gets it back") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            let contents = (0..<4).map { Bytes([UInt8($0)]) }
            var received: [Content] = []
            for (index, content) in contents.enumerated() {
                let payloads = try pair.send(content, fromSaro: true, &dice)
                // The second is lost, all payloads of it.
                if index != 1 { received += pair.offer(payloads, &dice) }
            }
            if type.facts.claims(.lossRecovery) { received += pair.settle(&dice) }
            let awaited = Set(contents).subtracting(type.facts.claims(.lossRecovery) ? [] : [contents[1]])
            if received.isEmpty || !awaited.isSubset(of: received), type.facts.needs.contains(.ordering) {
                throw .notApplicable("needs a service that keeps the order")
            }
            try expect(awaited.isSubset(of: received), "of 4 contents, the second lost, came \(received.map(\.array))")
        }
        checker.check("DS-05", "payloads that change places arrive all the same") { dice throws(Stop) in
            try applies(!type.facts.needs.contains(.ordering), "needs a service that keeps the order")
            var pair = try Pair(type, &dice)
            for _ in 0..<5 {
                var payloads: [Routed] = []
                let contents = (0..<6).map { Bytes([UInt8($0)]) }
                for content in contents { payloads += try pair.send(content, fromSaro: true, &dice) }
                payloads.shuffle(using: &dice)
                let received = pair.offer(payloads, &dice)
                try expect(Set(received) == Set(contents), "\(received.count) of \(contents.count) arrived")
                try expect(received.count == contents.count, "\(received.count) deliveries of \(contents.count)")
                try expect(try pair.pass([9], fromSaro: false, &dice) == [[9]], "the answer does not arrive")
            }
        }
        checker.check("DS-12", "the same payload again delivers nothing more") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for payload in try pair.send([1], fromSaro: true, &dice) {
                _ = try pair.receive(payload, bySaro: false, &dice)
                let again = (try? pair.receive(payload, bySaro: false, &dice)) ?? []
                try expect(again.isEmpty, "delivered twice")
            }
            try expect(try pair.pass([2], fromSaro: true, &dice) == [[2]], "nothing more arrives after a repeat")
        }
    }

    static func checkLimits(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("DS-09", "no payload is larger than the turn allows; content too large is refused with numbers") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for (index, size) in [1_000, 1_950, 2_000, 2_100, 1 << 20].enumerated() {
                var step = dice.step(maximumPayload: 2_000)
                let content = dice.bytes(size)
                do throws(Refusal) {
                    try pair.saro.perform(.send(content), as: ContentID(UInt64(900 + index)), in: &step)
                } catch {
                    try expect(error.outcome == .unable && error.cause.code == "too_large", "refused as \(error)")
                    try expect(step.isUntouched, "a refused send left something in its turn")
                    continue
                }
                let sizes = step.sends.map(\.routed.payload.count)
                try expect(sizes.allSatisfy { $0 <= 2_000 }, "a payload has \(sizes.max() ?? 0) bytes of 2000")
                let received = pair.offer(step.sends.map(\.routed), &dice)
                try expect(received == [content], "\(size) bytes arrived as \(received.map(\.count))")
            }
            try expect(try pair.pass([5], fromSaro: true, &dice) == [[5]], "nothing is sent after a refusal")
        }
        checker.check("CT-09", "an action that the type does not have is refused as such") { dice throws(Stop) in
            let pair = try Pair(type, &dice)
            var saro = pair.saro
            var step = dice.step()
            let refused = try refusal(of: "an unknown action") { () throws(Refusal) in
                try saro.perform(.frame(kind: "no such action", bytes: []), as: ContentID(99), in: &step)
            }
            try expect(refused.cause.code == "unsupported", "the cause is \(refused)")
        }
        checker.check("CT-16", "somebody who is no member cannot be removed") { dice throws(Stop) in
            let pair = try Pair(type, &dice)
            var saro = pair.saro
            var step = dice.step()
            let stranger = PublicKey(dice.bytes(32).array)
            _ = try refusal(of: "the removal of a stranger") { () throws(Refusal) in
                try saro.perform(.remove([stranger]), as: ContentID(99), in: &step)
            }
            try expect(step.isUntouched, "a refused removal left something in its turn")
        }
    }

    static func checkClaims(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("CONV-02", "it states whether content is confidential, whole and authentic") { _ throws(Stop) in
            let stated = type.facts.claims.map(\.property)
            for property in [Property.confidentiality, .integrity, .authentication] {
                try expect(stated.contains(property), "nothing is said of \(property.rawValue)")
            }
        }
        checker.check("CONV-02a", "content cannot be read on the wire, where confidentiality is claimed") {
            dice throws(Stop) in
            try applies(type.facts.claims(.confidentiality), "claims no confidentiality")
            var pair = try Pair(type, &dice)
            let content = dice.bytes(24).array
            for payload in try pair.send(Bytes(content), fromSaro: true, &dice) {
                let bytes = payload.payload.array
                let isSeen = bytes.indices.dropLast(7).contains { start in
                    // Eight bytes of it in a row are no accident.
                    (0...16).contains { bytes[start..<start + 8].elementsEqual(content[$0..<$0 + 8]) }
                }
                try expect(!isSeen, "a payload shows content")
            }
        }
        checker.check("CONV-02b", "an altered payload delivers nothing, where integrity is claimed") {
            dice throws(Stop) in
            try applies(type.facts.claims(.integrity), "claims no integrity")
            var pair = try Pair(type, &dice)
            for payload in try pair.send(dice.bytes(40), fromSaro: true, &dice) {
                for bit in 0..<payload.payload.count * 8 {
                    var bytes = payload.payload.array
                    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                    var altered = payload
                    altered.payload = Bytes(bytes)
                    let delivered = (try? pair.receive(altered, bySaro: false, &dice)) ?? []
                    try expect(delivered.isEmpty, "bit \(bit) flipped, and content was delivered")
                }
                try expect(try pair.receive(payload, bySaro: false, &dice).count == 1, "a forgery used up the original")
            }
        }
    }
}
