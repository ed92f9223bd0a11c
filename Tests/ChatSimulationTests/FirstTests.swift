import ChatFraming
import ChatModel
import ChatSimulation
import Testing

func toys<Defect: ToyDefect>(_ defect: Defect.Type) -> Composition {
    Composition("toy-invites/\(Defect.name)/plain", conversations: [ToyTalk<Defect>.self], framing: PlainFraming()) {
        peer, _ in
        ToyInvites(peer: peer)
    }
}

@Test func `first`() {
    var scenario = Scenario("x", "y", peers: 10, Traffic(contents: 200, over: .seconds(60)))
    scenario.network = Network(Network.Link(loss: 0.3, duplication: 0.05, reordering: 0.1))
    var run = Simulation(scenario, toys(Sound.self), seed: 1)
    run.run()
    print(run.tally, run.violation as Any, run.checks)
    #expect(run.violation == nil)
}
