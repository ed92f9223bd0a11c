import ChatCodec
import ChatTool

/// A published system whose own machines run in a world of their own: two kinds of machine, connections, jobs.
///
/// Scenarios are for compositions whose peers do all the same; here each peer has its part.
enum SimulatedSystem: String, OptionValue, CaseIterable {
    /// A person's core and an agent's: loss, lost links, processes that end, cancels, injections and approvals.
    case agentChat = "agent-chat"
    /// A hub and steps around it: connections that break, hubs that forget, steps that start again.
    case packetStream = "packet-stream"

    /// What is checked, in the words of the specifications.
    var checks: [String] {
        switch self {
        case .agentChat:
            [
                "both sides show the same messages", "what was said is there once, in its order",
                "jobs have ended and contents have their final status", "pieces add up to the messages",
                "a restart shows what was shown",
            ]
        case .packetStream:
            [
                "each packet comes to each step that wants it", "a step that stores what it did gets nothing again",
                "nothing is given up",
            ]
        }
    }

    /// One run.
    ///
    /// - Parameters:
    ///   - seed: all randomness comes from it.
    ///   - length: how much happens before the trouble ends; nil for the usual length of the system.
    ///   - isTraced: whether to write down what happens.
    func run(seed: UInt64, length: Int? = nil, isTraced: Bool = false) -> SystemOutcome {
        var diary = SystemDiary(isTraced: isTraced)
        let length = length ?? usualLength
        var problem: String?
        do {
            switch self {
            case .agentChat: problem = try AgentChatWorld.run(seed: seed, steps: length, &diary)
            case .packetStream: problem = try HubWorld.run(seed: seed, packets: length, &diary)
            }
        } catch { problem = "a machine refused what it must take: \(error)" }
        return SystemOutcome(system: self, seed: seed, length: length, diary: diary, problem: problem)
    }

    /// Occasions for the agent chat, packets for the hub.
    private var usualLength: Int {
        switch self {
        case .agentChat: 300
        case .packetStream: 60
        }
    }
}

/// What happened in a run: how often, and if wanted when.
struct SystemDiary: Sendable {
    private(set) var counts: [String: Int] = [:]
    private(set) var entries: [String] = []
    private let isTraced: Bool

    init(isTraced: Bool = false) { self.isTraced = isTraced }

    /// Something happened.
    ///
    /// - Parameters:
    ///   - what: by which it is counted.
    ///   - detail: what else a reader wants to know.
    ///   - milliseconds: when.
    mutating func note(_ what: String, _ detail: @autoclosure () -> String = "", at milliseconds: UInt64) {
        counts[what, default: 0] += 1
        guard isTraced else { return }
        let detail = detail()
        entries.append("\(milliseconds) ms  \(what)" + (detail.isEmpty ? "" : ": \(detail)"))
    }

    /// How often each thing happened, in the order of the names.
    var text: String {
        counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    /// Adds the numbers of another run.
    mutating func add(_ other: SystemDiary) { counts.merge(other.counts, uniquingKeysWith: +) }
}

/// What one run came to, for people and for programs.
struct SystemOutcome: Sendable {
    let system: SimulatedSystem
    let seed: UInt64
    let length: Int
    let diary: SystemDiary
    /// What did not hold, if there is something.
    let problem: String?

    /// One line for people.
    var description: String {
        let head = "seed \(seed) of \(system.rawValue): "
        if let problem { return head + problem }
        return head + diary.text
    }

    /// The same for programs.
    var json: JSON {
        var object = JSON.Object()
        object["system"] = .string(system.rawValue)
        object["seed"] = JSON(seed)
        object["length"] = JSON(length)
        object["ok"] = .bool(problem == nil)
        if let problem { object["violation"] = ["text": .string(problem)] }
        object["checked"] = .array(system.checks.map { .string($0) })
        var tally = JSON.Object()
        for (name, count) in diary.counts.sorted(by: { $0.key < $1.key }) { tally[name] = JSON(count) }
        object["tally"] = .object(tally)
        return .object(object)
    }
}
