public import ChatClient

/// One of the 48 compositions of five choices, each among a built-in component and those from outside.
public struct Mix: Sendable, Hashable, CustomStringConvertible {
    /// All of them: the built-in components alone first, those from outside alone last.
    public static let all = (0..<48).map { Mix(number: $0) }

    private static let initializations = ["inbox-v1", "phrase", "noise-xk"]

    /// The place of the initialization, times 16, and four bits for the others, discovery first; 1 is a component from
    /// outside.
    let number: Int

    private func pick(_ place: Int, _ builtIn: String, _ outside: String) -> String {
        number >> (3 - place) & 1 == 1 ? outside : builtIn
    }

    /// The composition's name, which parses back.
    public var name: SuiteName {
        SuiteName(
            discovery: pick(0, "links", "text-file"), initialization: Self.initializations[number / 16],
            conversations: [pick(1, "private-v1", "secretstream")], delivery: pick(2, "memory", "folder"),
            framing: pick(3, "envelope-v1", "lines"))
    }

    /// The composition's name.
    public var description: String { name.description }
}
