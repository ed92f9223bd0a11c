import ChatModel

/// One surface that takes bytes from outside, with what must hold for every input.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    /// A rule that an input broke.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String
    }

    /// Names it on command lines and in the corpus.
    package let name: String
    /// Inputs that the surface accepts, to begin from.
    package let seeds: [[UInt8]]
    /// Whether an input is not what arrives, but the decisions of a generator that makes it, step by step.
    package let isGenerated: Bool
    /// How many inputs every test run tries, beside seeds and findings.
    package let inputs: Int
    /// Hands one input to the surface and says whether it was accepted; throws where a rule is broken.
    package let run: @Sendable ([UInt8]) async throws -> Bool

    /// Describes a surface.
    init(
        _ name: String, seeds: [[UInt8]], isGenerated: Bool = false, inputs: Int = 500,
        run: @escaping @Sendable ([UInt8]) async throws -> Bool
    ) {
        (self.name, self.seeds, self.isGenerated, self.inputs, self.run) = (name, seeds, isGenerated, inputs, run)
    }

    /// The name.
    package var description: String { name }

    /// Those that make packets, messages, records and requests, many of them for one machine.
    private static func generators() throws -> [FuzzTarget] {
        try packets() + sds() + [segments, messages, envelopes, entries(), requests] + records() + invites()
    }

    /// All of them.
    package static func all() throws -> [FuzzTarget] {
        try framings() + discoveries() + wire() + storage() + conversations() + walks() + initializations() + udp()
            + sealed() + inspectors + generators() + agentChat() + chatEngine() + packetStream()
    }
}

/// Throws unless a rule holds.
func demand(_ holds: Bool, _ rule: @autoclosure () -> String) throws {
    guard holds else { throw FuzzTarget.Violation(description: rule()) }
}

/// A turn with room and randomness that repeats.
func turn(seed: UInt64 = 1) -> Step {
    Step(
        now: Timestamp(milliseconds: 1_700_000_000_000), maximumPayload: 1 << 16, headRoom: 8,
        random: RepeatableRandom(seed: seed))
}

extension Step {
    /// Whether nothing was left in it.
    var isEmpty: Bool {
        output.isEmpty
    }
}
