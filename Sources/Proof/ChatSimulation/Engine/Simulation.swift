import ChatClient
import ChatModel

/// One run of a scenario: virtual time, a virtual network and many peers, all from one seed.
///
/// The same scenario, composition and seed give the same run, event for event. A run is a value: it
/// can be stepped from a thread, and many run beside each other.
public struct Simulation: Sendable {
    /// The plan as it was given.
    public let plan: Scenario
    /// The plan without what the composition does not claim to stand.
    public let scenario: Scenario
    /// What runs in every peer.
    public let composition: Composition
    /// All randomness comes from it.
    public let seed: UInt64
    /// What has been said and heard so far.
    public internal(set) var ledger: Ledger
    /// Numbers so far.
    public internal(set) var tally = Tally()
    /// What happened, if that is wanted.
    public internal(set) var trace: Trace?
    /// What did not hold, if there is something.
    public internal(set) var violation: Violation?
    /// What is checked.
    public let checks: [String]

    var invariants: [any Invariant]
    var now = VirtualTime.zero
    var agenda = Agenda()
    var peers: [SimulatedPeer] = []
    /// The client of each peer, beside it and not in it, so that nothing but a client's step ever touches one.
    var cores: [ChatCore] = []
    var phase = Phase.meeting
    /// When the time in which nobody speaks is over; zero before it begins.
    var idleEnd = VirtualTime.zero
    var threads: Threads
    /// The first thread that is begun with a bundle of an earlier one.
    let firstReuse: Int
    var network: CompiledNetwork
    var service: SimulatedService
    var parcels: [Parcel] = []
    var freeParcels: [Int32] = []
    var serial: UInt32 = 0
    var disturbances: [Disturbance] = []
    /// Copies of devices, by the disturbance that puts them back.
    var copies: [Int: SimulatedPeer.Copy] = [:]
    /// Payloads that an intruder has seen, and how many intrusions go on.
    var overheard: [Addressed] = []
    var intruders = 0
    /// Bundles that were handed over, for conversations that use them again.
    var handedOver: [Int: IntroductionBundle] = [:]
    var trafficDice: Dice
    var networkDice: Dice
    var troubleDice: Dice
    /// Kept between steps, so that a step allocates as little as possible.
    var deliveries: [Delivery] = []
    var drafts: [(Draft, ContentID, ConversationID)] = []

    /// What a run is busy with.
    enum Phase: Int, Sendable {
        /// Conversations begin.
        case meeting
        /// People talk, and things go wrong.
        case talking
        /// Nobody speaks and peers are well; what is missing must arrive.
        case settling
        /// Everything has arrived.
        case idling
        /// The second half of that, which is measured.
        case measuring
        /// Nothing more happens.
        case over
    }

    /// What the plan says about threads that have not begun, beside the ledger.
    struct Threads: Sendable {
        /// Contents that somebody was asked to say.
        var spoken = 0
        /// Contents of these that nobody has stored yet.
        var unsaid = 0
        /// Conversations that have not begun.
        var waiting: Int

        func isSettled(_ contents: Int) -> Bool { waiting == 0 && unsaid == 0 && spoken >= contents }
    }

    /// How far the run is, in its own time.
    public var time: VirtualTime { now }

    /// Plans a run; ``run(progress:)`` carries it out.
    ///
    /// - Parameters:
    ///   - scenario: the plan of the run.
    ///   - composition: the machines of the peers.
    ///   - seed: the seed of the run.
    ///   - invariants: what is checked; nil for all that the composition's claims and the scenario allow.
    ///   - trace: where to write down what happens; nil where nobody wants to see it.
    public init(
        _ scenario: Scenario, _ composition: Composition, seed: UInt64, invariants: [any Invariant]? = nil,
        trace: Trace? = nil
    ) {
        plan = scenario
        let scenario = scenario.adjusted(to: composition)
        (self.scenario, self.composition, self.seed, self.trace) = (scenario, composition, seed, trace)
        trafficDice = Dice(seed: seed, stream: 1)
        networkDice = Dice(seed: seed, stream: 2)
        troubleDice = Dice(seed: seed, stream: 3)
        var groups = scenario.topology.threads(peers: scenario.peers, &trafficDice)
        firstReuse = groups.count
        groups += scenario.reuses(of: groups, &trafficDice)
        ledger = Ledger(threads: groups, liars: scenario.peers - scenario.liars..<scenario.peers)
        threads = Threads(waiting: groups.count)
        network = CompiledNetwork(scenario.network)
        service = SimulatedService(scenario.service)
        let invariants = invariants ?? .applicable(to: composition, in: scenario)
        self.invariants = invariants
        checks = invariants.map(\.name)
    }

    /// Carries the run out until it is over or something does not hold.
    ///
    /// - Parameter progress: called now and then; false ends the run early, with a violation.
    public mutating func run(progress: (borrowing Simulation) -> Bool = { _ in true }) {
        prepare()
        while violation == nil, phase != .over, let item = agenda.next() {
            now = item.time
            tally.occurrences += 1
            carryOut(item)
            if tally.occurrences > scenario.bounds.occurrences {
                fail("an end", "more than \(scenario.bounds.occurrences) occurrences")
            }
            guard tally.occurrences & 0xFFF == 0, violation == nil, !progress(self) else { continue }
            fail("an end", "stopped after \(tally.occurrences) occurrences")
        }
        conclude()
    }

    private mutating func carryOut(_ item: Agenda.Item) {
        let (peer, index) = (Int(item.peer), Int(item.index))
        switch item.kind {
        case .arrival: arrive(index, at: peer)
        case .step: step(peer)
        case .alarm: ring(peer, at: item.time)
        case .answer: answer(peer, life: UInt32(truncatingIfNeeded: index))
        case .meet: meet(index)
        case .speak: speak()
        case .disturb: disturb(index)
        case .mend: mend(index)
        case .start: start(peer)
        case .phase: enter(Phase(rawValue: index) ?? .over)
        }
    }

    private mutating func conclude() {
        tally.end = now
        tally.healing = ledger.contents.map { ledger.healing(of: $0) }.max() ?? .zero
        tally.firstContact = ledger.threads.map { ledger.firstContact(of: $0) }.max() ?? .zero
        guard violation == nil else { return }
        forgetConversations()
        compareOrders()
        for index in invariants.indices {
            guard let finding = invariants[index].concluded(ledger, tally) else { continue }
            return fail(invariants[index].name, finding)
        }
    }

    /// Shows invariants what participants have, where nothing is missing and types have an order.
    private mutating func compareOrders() {
        guard let order = composition.order, ledger.outstanding == 0 else { return }
        for number in ledger.threads.indices {
            let thread = ledger.threads[number]
            guard ledger.isHonest(number), ledger.rolledBack.isDisjoint(with: thread.participants) else { continue }
            let orders = zip(thread.participants, thread.ids).compactMap { peer, id in
                id.flatMap { cores[peer].machine($0) }.flatMap(order)
            }
            guard orders.count == thread.participants.count else { continue }
            for index in invariants.indices {
                guard let finding = invariants[index].healed(orders, thread: number, in: ledger) else { continue }
                fail(invariants[index].name, finding, thread: number)
            }
        }
    }

    /// Notes what does not hold; the first thing counts.
    mutating func fail(_ invariant: String, _ finding: Finding, peer: Int? = nil, thread: Int? = nil) {
        guard violation == nil else { return }
        violation = Violation(
            invariant: invariant, text: finding.text, time: now, peers: [peer].compactMap(\.self) + finding.peers,
            thread: finding.thread ?? thread)
    }

    /// Writes down what happened, where somebody wants to see it.
    mutating func note(_ peer: Int, _ kind: Trace.Kind, thread: Int? = nil, content: Int? = nil) {
        guard trace != nil else { return }
        trace?.add(Trace.Entry(time: now, peer: peer, kind: kind, thread: thread, content: content))
    }
}
