public import ChatModel

/// Any conversation type of two made reliable: `Reliable<PlainConversation>` is type `plain-reliable`.
///
/// Without a filter: of two participants, histories and repair requests say all that one would.
public struct Reliable<Inner: SimpleConversation>: ReliableConversation {
    /// The inner type's facts, and what the stage adds.
    public static var facts: Facts {
        let inner = Inner.facts
        return Facts(
            name: inner.name + "-reliable",
            summary: inner.summary + " What is lost is sent again.",
            claims: ReliableConstants.claims(around: inner.claims),
            needs: inner.needs)
    }

    /// Those for two, without a filter.
    public static var constants: ReliableConstants { .compact }

    /// Everything there is.
    public var stage: ReliableStage<Inner>

    /// Makes it of a stage.
    public init(_ stage: ReliableStage<Inner>) {
        self.stage = stage
    }
}

extension ReliableConstants {
    /// The defaults without the filter, which costs 3.6 KB for each message.
    public static var compact: ReliableConstants {
        var constants = ReliableConstants()
        constants.sds.filter = nil
        return constants
    }

    /// The claims of a type with the stage around it.
    public static func claims(around inner: [Claim]) -> [Claim] {
        let added = [
            Claim(.lossDetection, "SDS-10"),
            Claim(.lossRecovery, "SDS-11", "sent again until it is acknowledged, for seven days"),
            Claim(.causalOrder, "SDS-07"),
            Claim(.replayProtection, "SDS-06"),
        ]
        return inner.filter { claim in !added.contains { $0.property == claim.property } } + added
    }
}
