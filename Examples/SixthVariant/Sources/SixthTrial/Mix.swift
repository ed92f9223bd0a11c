public import ChatClient

/// One of the 32 compositions of five choices, each between a built-in component and the one from outside.
public struct Mix: Sendable, Hashable, CustomStringConvertible {
    /// All of them: the built-in components alone first, those from outside alone last.
    public static let all = (0..<32).map { Mix(number: $0) }

    /// Five bits, discovery first; 1 is a component from outside.
    let number: Int

    private func pick(_ place: Int, _ builtIn: String, _ outside: String) -> String {
        number >> (4 - place) & 1 == 1 ? outside : builtIn
    }

    /// The composition's name, which parses back.
    public var name: SuiteName {
        SuiteName(
            discovery: pick(0, "links", "text-file"), initialization: pick(1, "inbox-v1", "phrase"),
            conversations: [pick(2, "private-v1", "secretstream")], delivery: pick(3, "memory", "folder"),
            framing: pick(4, "envelope-v1", "lines"))
    }

    /// The composition's name.
    public var description: String { name.description }
}
