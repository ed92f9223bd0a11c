import ChatFraming
import ChatModel
import Foundation
import TestSupport

let saro = Owner.conversation(ConversationID("saro"))
let raya = Owner.conversation(ConversationID("raya"))

/// Every framing here, as an existential: what holds for all is tested for all.
let framings: [any FramingStrategy] = [
    PlainFraming(), EnvelopeV1(), EnvelopeV1(.libchat), EnvelopeV1(acceptsPlainHints: true), RPIV1(),
]

/// A route with a secret that follows from its id, so that framings which need one have it.
func shared(_ id: String) -> Route {
    Route(id, secret: Secret(count: 32) { for (index, byte) in id.utf8.prefix(32).enumerated() { $0[index] = byte } })
}

/// A turn whose randomness repeats.
func turn(seed: UInt64 = 1) -> Step {
    Step(now: .zero, random: SeededRandom(seed))
}

/// A turn that draws one salt.
func turn(salt: UInt64) -> Step {
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: salt >> (8 * UInt64($0))) }
    return Step(now: .zero, random: ScriptedRandom([(.salt, bytes)]))
}

extension FramingStrategy {
    /// This framing, listening.
    func listening(_ listening: [Listening], for owner: Owner) -> Self {
        var framing = self
        framing.listen(listening, for: owner)
        return framing
    }

    /// Wraps without keeping the framing's changes.
    func wrapped(_ routed: Routed, in turn: Step) throws(Refusal) -> Addressed {
        var (framing, turn) = (self, turn)
        return try framing.wrap(routed, of: .initialization, random: &turn.random)
    }

    /// What bytes on an address are.
    func unwrap(_ bytes: [UInt8], on address: DeliveryAddress = "a") throws(Refusal) -> Unwrapped {
        try unwrap(Addressed(address, payload: Bytes(bytes)))
    }
}

/// The code blocks of a specification.
func blocks(of specification: String) throws -> [String] {
    let path = Vectors.packageRoot.appendingPathComponent("Specs/\(specification)")
    let text = try String(contentsOf: path, encoding: .utf8)
    return text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
}

/// The bytes of a worked example: what stands in front of the comment of each line.
func example(_ block: String) -> [UInt8] {
    let isHex = { (word: Substring) in word.count % 2 == 0 && word.allSatisfy(\.isHexDigit) }
    return [UInt8](
        hex: block.split(separator: "\n").map { $0.split(separator: " ").prefix(while: isHex).joined() }.joined())
}
