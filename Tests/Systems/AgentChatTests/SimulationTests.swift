import AgentChat
import ChatModel
import TestSupport
import Testing

/// A person's core and an agent's over a service that loses payloads and links, with processes that end at any point.
struct SimulationTests {
    @Test(.timeLimit(.minutes(30)))
    func `cores agree after loss, lost links, crashes and cancels, and nothing is lost or done twice (AC-37)`() throws {
        var total = SimulatedPair.Tally()
        for seed in Seeds.all(100) {
            var pair = try SimulatedPair(seed: seed)
            for _ in 0..<300 { try pair.step() }
            try pair.settle()
            let (person, agent) = (try #require(pair.chat(of: .person)), try #require(pair.chat(of: .agent)))
            let pairs = zip(person.shown, agent.shown).filter { $0 != $1 }
            #expect(pairs.isEmpty && person.path == agent.path, "seed \(seed): \(pairs)")
            #expect(!person.job.isBusy && !agent.job.isBusy, "seed \(seed)")
            let arrived = agent.shown.filter { $0.role == .user }.map(\.text).filter { $0.hasPrefix("say") }
            #expect(arrived == pair.said, "seed \(seed): \(pair.refused)")
            #expect(pair.submitted == pair.said, "seed \(seed)")
            #expect(pair.delivered == Set(pair.contents), "seed \(seed): \(pair.refused)")
            for message in agent.shown where message.role == .assistant {
                #expect(pair.texts[message.id.text, default: ""] == message.text, "seed \(seed): \(message.id)")
            }
            try pair.startAgain()
            #expect(pair.chat(of: .agent)?.shown == agent.shown, "seed \(seed): what is stored is not what was shown")
            #expect(pair.chat(of: .person)?.shown == agent.shown, "seed \(seed): what is stored is not what was shown")
            total.add(pair.tally)
        }
        // A tenth of the seeds does not reach each kind of trouble.
        #expect(total.isEnough || Seeds.isQuick, "\(total)")
    }
}
