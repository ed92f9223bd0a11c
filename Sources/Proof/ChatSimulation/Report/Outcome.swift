public import ChatCodec

/// What one run came to, for people and for programs.
public struct Outcome: Sendable {
    /// The scenario's name.
    public let scenario: String
    /// The composition's name.
    public let suite: String
    /// The seed.
    public let seed: UInt64
    /// What was checked.
    public let checks: [String]
    /// Numbers.
    public let tally: Tally
    /// What did not hold, if there is something.
    public let violation: Violation?

    /// Sums up a run.
    public init(_ run: borrowing Simulation) {
        (scenario, suite, seed) = (run.scenario.name, run.composition.name, run.seed)
        (checks, tally, violation) = (run.checks, run.tally, run.violation)
    }

    /// One line for people.
    public var description: String {
        if let violation { return "seed \(seed) of \(scenario) with \(suite): \(violation)" }
        return "seed \(seed) of \(scenario) with \(suite): \(tally.contents) contents heard \(tally.heard) times, "
            + "\(tally.published) payloads, \(tally.lost) copies lost, \(tally.crashes) crashes, in \(tally.end)"
    }

    /// The same for programs.
    public var json: JSON {
        var object = JSON.Object()
        object["scenario"] = .string(scenario)
        object["suite"] = .string(suite)
        object["seed"] = JSON(seed)
        object["ok"] = .bool(violation == nil)
        if let violation {
            object["violation"] = [
                "invariant": .string(violation.invariant), "text": .string(violation.text),
                "milliseconds": JSON(violation.time.microseconds / 1_000),
                "peers": .array(violation.peers.map { JSON($0) }),
                "conversation": violation.thread.map { JSON($0) } ?? .null,
            ]
        }
        object["checked"] = .array(checks.map { .string($0) })
        object["tally"] = tally.json
        return .object(object)
    }
}

extension Tally {
    /// The numbers by name.
    public var json: JSON {
        var object = JSON.Object()
        for (name, number) in numbers { object[name] = JSON(number) }
        object["idleSeconds"] = .number(idleTime.seconds)
        object["virtualSeconds"] = .number(end.seconds)
        object["lastHeardSeconds"] = .number(lastHeard.seconds)
        object["healingSeconds"] = .number(healing.seconds)
        object["firstContactSeconds"] = .number(firstContact.seconds)
        object["delaySeconds"] = [
            "half": .number(delays.quantile(0.5).seconds), "99 %": .number(delays.quantile(0.99).seconds),
            "all": .number(delays.quantile(1).seconds),
        ]
        let digits = String(digest, radix: 16)
        object["digest"] = .string(String(repeating: "0", count: 16 - digits.count) + digits)
        return .object(object)
    }

    private var numbers: [(String, Int)] {
        [
            ("contents", contents), ("heard", heard), ("failed", failed), ("refusedContents", refusedContents),
            ("published", published), ("rejected", rejected), ("bytes", bytes), ("deliveries", deliveries),
            ("lost", lost), ("duplicated", duplicated), ("heldBack", heldBack), ("corrupted", corrupted),
            ("refusedPayloads", refusedPayloads), ("gaps", gaps), ("gone", gone), ("intruded", intruded),
            ("lies", lies),
            ("crashes", crashes), ("steps", steps),
            ("occurrences", occurrences), ("idlePayloads", idlePayloads), ("largestOutbox", largestOutbox),
            ("largestParked", largestParked), ("largestStore", largestStore),
        ]
    }
}
