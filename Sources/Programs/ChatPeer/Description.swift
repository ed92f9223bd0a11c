import ChatClient
import ChatCodec
import ChatModel
import ChatVariants

/// A composition for who wants to know what it is: its choices, its properties, what it costs and what it shows.
struct Description {
    let suite: ChatSuite
    let trial: SuiteTrial

    /// What people ask first; all others that some component speaks of follow.
    private static let asked: [Property] = [
        .confidentiality, .forwardSecrecy, .postCompromiseSecurity, .senderPrivacy, .recipientPrivacy,
    ]

    /// What a component says of a property.
    fileprivate struct Statement {
        let component: Component
        let name: String
        let claim: Claim

        fileprivate var document: String? { Variants.document(with: claim.requirement, of: component, named: name) }
    }

    private var properties: [(property: Property, statements: [Statement])] {
        let statements = suite.choices.flatMap { component, facts in
            facts.claims.map { Statement(component: component, name: facts.name, claim: $0) }
        }
        var properties = Self.asked
        for statement in statements where !properties.contains(statement.claim.property) {
            properties.append(statement.claim.property)
        }
        return properties.map { property in (property, statements.filter { $0.claim.property == property }) }
    }

    var text: String {
        var lines = ["\(suite)", "", "Properties, and who gives them"]
        for (property, statements) in properties {
            lines.append("  \(property.rawValue)\(statements.isEmpty ? ": no component promises it" : "")")
            for statement in statements {
                let claim = statement.claim
                let source = [claim.requirement, statement.document.map { "Specs/\($0)" }].compactMap(\.self)
                lines.append(
                    "    \(claim.holds ? "+" : "-") \(statement.component.title) \(statement.name), "
                        + "\(source.joined(separator: " in "))\(claim.note.isEmpty ? "" : ": \(claim.note)")")
            }
        }
        lines += ["", "What an observer of the delivery service sees, besides sizes and times"]
        for sight in SuiteTrial.Leak.allCases {
            lines.append("  \(trial.seen.contains(sight) ? "seen    " : "not seen")  \(sight.rawValue)")
        }
        lines += [
            "  \(trial.addresses.count) delivery \(trial.addresses.count == 1 ? "address" : "addresses") for two participants",
            "",
            "Bytes for a content of \(SuiteTrial.contentSize), itself, framing and acknowledgements included, measured between "
                + "two clients in memory",
            "  \(trial.first) for the first content, with its invite",
            "  \(trial.oneWay) for each of \(SuiteTrial.contents) at once in one direction, \(trial.inTurns) in quick turns",
            "  \(trial.roundTrips) round trips before the first content, once the bundle is there",
        ]
        return lines.joined(separator: "\n")
    }

    var json: JSON {
        guard case .object(var object) = suite.json else { return suite.json }
        object["properties"] = .array(
            properties.map { property, statements in
                ["property": .string(property.rawValue), "statements": .array(statements.map(\.json))]
            })
        var seen = JSON.Object()
        for sight in SuiteTrial.Leak.allCases { seen[sight.rawValue] = .bool(trial.seen.contains(sight)) }
        seen["addresses"] = JSON(trial.addresses.count)
        object["observer"] = .object(seen)
        object["cost"] = [
            "contentBytes": JSON(SuiteTrial.contentSize), "firstBytes": JSON(trial.first),
            "oneWayBytes": JSON(trial.oneWay), "inTurnsBytes": JSON(trial.inTurns),
            "roundTripsBeforeContent": JSON(trial.roundTrips),
        ]
        return .object(object)
    }
}

extension Description.Statement {
    fileprivate var json: JSON {
        var object = JSON.Object()
        object["component"] = .string(component.rawValue)
        object["name"] = .string(name)
        object["holds"] = .bool(claim.holds)
        object["requirement"] = .string(claim.requirement)
        if let document { object["document"] = .string("Specs/\(document)") }
        if !claim.note.isEmpty { object["note"] = .string(claim.note) }
        return .object(object)
    }
}
