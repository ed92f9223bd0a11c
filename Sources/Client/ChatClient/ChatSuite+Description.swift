public import ChatCodec
internal import ChatModel

// A composition as its five choices: for people as text, for programs as JSON.
extension ChatSuite: CustomStringConvertible {
    /// The five choices, a paragraph each: what it is, what holds, what does not.
    public var description: String {
        var lines = ["\(name)"]
        for (component, facts) in choices {
            lines.append("")
            lines.append("\(component.title): \(facts.name)")
            lines.append("  \(facts.summary)")
            for claim in facts.claims {
                let note = claim.note.isEmpty ? "" : ": \(claim.note)"
                lines.append("  \(claim.holds ? "+" : "-") \(claim.property.rawValue) (\(claim.requirement))\(note)")
            }
            if facts.messages > 1 { lines.append("  a first contact takes \(facts.messages) messages") }
            guard !facts.needs.isEmpty else { continue }
            lines.append("  needs \(facts.needs.map(\.rawValue).sorted().joined(separator: ", "))")
        }
        return lines.joined(separator: "\n") + "\n" + limitsLine
    }

    private var limitsLine: String {
        let limits = delivery.limits
        var parts = ["payloads of at most \(limits.maximumPayload) bytes"]
        if let rate = limits.rate { parts.append("\(rate.payloads) payloads in \(rate.epoch.words)") }
        if let kept = limits.retention {
            parts.append("keeps \(kept.payloads) payloads, \(kept.bytes) bytes, \(kept.age.words) for an address")
        }
        return "\n\(delivery.facts.name) takes \(parts.joined(separator: "; "))"
    }

    /// The same as ``description``, for programs.
    public var json: JSON {
        var choices: [JSON] = []
        for (component, facts) in self.choices {
            var choice = JSON.Object()
            choice["component"] = .string(component.rawValue)
            choice["name"] = .string(facts.name)
            choice["summary"] = .string(facts.summary)
            choice["claims"] = .array(facts.claims.map(\.json))
            choice["needs"] = .array(facts.needs.map(\.rawValue).sorted().map { .string($0) })
            if facts.messages > 1 { choice["messages"] = JSON(facts.messages) }
            choices.append(.object(choice))
        }
        return ["suite": .string(name.description), "choices": .array(choices), "limits": delivery.limits.json]
    }
}

extension Claim {
    fileprivate var json: JSON {
        [
            "property": .string(property.rawValue), "holds": .bool(holds), "requirement": .string(requirement),
            "note": .string(note),
        ]
    }
}

extension DeliveryLimits {
    fileprivate var json: JSON {
        var object: JSON.Object = JSON.Object()
        object["maximumPayload"] = JSON(maximumPayload)
        if let rate {
            object["rate"] = ["payloads": JSON(rate.payloads), "epochMilliseconds": rate.epoch.milliseconds]
        }
        if let kept = retention {
            object["retention"] = [
                "payloads": JSON(kept.payloads), "bytes": JSON(kept.bytes), "ageMilliseconds": kept.age.milliseconds,
            ]
        }
        object["offers"] = .array(offers.map(\.rawValue).sorted().map { .string($0) })
        return .object(object)
    }
}

extension Duration {
    /// A service may say any time, also one beyond what an `Int` holds.
    /// For people: in the largest unit in which it is whole.
    fileprivate var words: String {
        let milliseconds = (Timestamp.zero + self).milliseconds
        for (unit, size) in [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000)]
            as [(String, UInt64)]
        where milliseconds > 0 && milliseconds % size == 0 {
            return "\(milliseconds / size) \(unit)\(milliseconds == size ? "" : "s")"
        }
        return "\(milliseconds) ms"
    }

    fileprivate var milliseconds: JSON { JSON((Timestamp.zero + self).milliseconds) }
}
