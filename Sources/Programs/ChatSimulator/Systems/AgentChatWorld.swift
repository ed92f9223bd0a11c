import AgentChat
import ChatClient
import ChatModel

/// A person's process and an agent's, each a core with a disk and an application, and the service between them.
///
/// All from one seed. The service delivers in order, without retention: what is lost on the way, or comes while a link
/// is down, is gone, and nobody is told of a single loss.
struct AgentChatWorld {
    enum Peer: Int { case person, agent }

    /// Where in a step a process can end.
    enum CrashPoint: CaseIterable { case beforeStoring, beforePublishing, beforeResults, beforeConfirming }

    struct Process {
        var core: ChatCore
        var disk: [String: Bytes] = [:]
        var isOnline = true
        var lastBatch: UInt64 = 0
        var crash: CrashPoint?
        var conversation: ConversationID?
        var underWay: [Addressed] = []

        mutating func store() { for record in core.takeUrgentRecords() { disk[record.key] = record.bytes } }
    }

    var processes: [Process] = []
    var random: RepeatableRandom
    var now: UInt64 = 1_000
    let loss: Int
    var (drawn, minted): (UInt64, Int) = (0, 0)

    /// What the person said, as far as it was stored, and what became of it.
    var said: [String] = []
    var contents: [ContentID] = []
    var delivered: Set<ContentID> = []
    var refused: [ContentID: String] = [:]
    /// The person's fold of what the application heard, by message.
    var texts: [String: String] = [:]
    /// What the agent's application was told to work on.
    var submitted: [String] = []
    var diary: SystemDiary
    var draft: (text: String, id: ContentID)?
    /// The content whose parts the agent's message is, in this run of its process.
    var answer: (message: Identifier, content: ContentID)?
    var injections: [Identifier] = []

    private init(seed: UInt64, _ diary: SystemDiary) throws {
        self.diary = diary
        random = RepeatableRandom(seed: seed)
        loss = random.below(4) * 5
        let (person, agent) = (try makeCore([:]), try makeCore([:]))
        processes = [Process(core: person), Process(core: agent)]
        let bundle = try processes[1].core.introduce(1, now: clock)[0]
        try finish(.agent)
        let (id, content) = try processes[0].core.begin(
            ConversationType(AgentChat.name), with: bundle, saying: Bytes("say 0"), now: clock)
        processes[0].conversation = id
        draft = content.map { ("say 0", $0) }
        try finish(.person)
    }

    var clock: Timestamp { Timestamp(milliseconds: now) }

    mutating func note(_ what: String, _ detail: @autoclosure () -> String = "") {
        diary.note(what, detail(), at: now)
    }

    mutating func makeCore(_ disk: [String: Bytes]) throws -> ChatCore {
        drawn += 1
        let records = disk.sorted { $0.key < $1.key }.map { Record($0.key, $0.value) }
        return try ChatCore(
            AgentReady(), conversations: [AgentChat()], framing: AgentFraming(),
            delivery: DeliveryLimits(maximumPayload: AgentJSON.maximumFrame, offers: [.ordering]),
            random: RepeatableRandom(seed: random.next() &+ drawn), restoring: records, now: clock)
    }

    /// What a machine knows of the chat.
    func chat(of peer: Peer) -> ChatState? {
        let process = processes[peer.rawValue]
        return process.conversation.flatMap { process.core.machine($0) as? AgentChatConversation }?.chat
    }
}

// What must hold.
extension AgentChatWorld {
    /// One run; gives what did not hold.
    ///
    /// - Parameters:
    ///   - seed: all randomness comes from it.
    ///   - steps: how often something happens before the links hold and the jobs end.
    ///   - diary: where what happens is written.
    static func run(seed: UInt64, steps: Int, _ diary: inout SystemDiary) throws -> String? {
        var world = try AgentChatWorld(seed: seed, diary)
        defer { diary = world.diary }
        for _ in 0..<steps { try world.step() }
        try world.settle()
        if let problem = world.problem { return problem }
        let shown = world.chat(of: .agent)?.shown
        try world.startAgain()
        for peer in [Peer.person, .agent] where world.chat(of: peer)?.shown != shown {
            return "after a restart the \(peer) shows other messages than before"
        }
        return nil
    }

    /// What does not hold now that everything has arrived and no job lives.
    var problem: String? {
        guard let person = chat(of: .person), let agent = chat(of: .agent) else { return "no chat began" }
        guard person.path == agent.path else { return "the two show other messages: \(person.path), \(agent.path)" }
        if let pair = zip(person.shown, agent.shown).first(where: { $0 != $1 }) {
            return "the two show message \(pair.0.id) in two forms: \(pair.0.text) | \(pair.1.text)"
        }
        guard !person.job.isBusy, !agent.job.isBusy else { return "a job does not end" }
        let arrived = agent.shown.filter { $0.role == .user }.map(\.text).filter { $0.hasPrefix("say") }
        guard arrived == said else { return "said \(said), arrived \(arrived), refused \(refused)" }
        guard submitted == said else { return "said \(said), the agent was told \(submitted)" }
        guard delivered == Set(contents) else {
            return "\(Set(contents).subtracting(delivered).sorted()) were never delivered; refused \(refused)"
        }
        let folded = agent.shown.first { $0.role == .assistant && texts[$0.id.text, default: ""] != $0.text }
        return folded.map { "pieces of \($0.id) add up to \(texts[$0.id.text, default: ""]), not to \($0.text)" }
    }
}

// What happens.
extension AgentChatWorld {
    mutating func step() throws {
        now += UInt64(random.below(400))
        let peer: Peer = random.below(2) == 0 ? .person : .agent
        for peer in [Peer.person, .agent] where random.below(2) == 0 {
            for _ in 0..<3 { try deliver(to: peer) }
        }
        switch random.below(60) {
        case 0...2: try say()
        case 3: if processes[peer.rawValue].isOnline { try turnLink(of: peer) }
        case 4...6: if !processes[peer.rawValue].isOnline { try turnLink(of: peer) }
        case 7: processes[peer.rawValue].crash = CrashPoint.allCases[random.below(4)]
        case 8: try perform(.cancel, by: .person)
        case 9...11: try perform(.inject("put in \(mint())"), by: .person)
        case 12...15: try answerQuestions()
        case 16, 17: try approve()
        case 18: now += 30_000
        default: try work()
        }
        for peer in [Peer.person, .agent] { try wake(peer) }
    }

    /// Links hold, everything arrives, jobs end; and the person looks again.
    mutating func settle() throws {
        for peer in processes.indices { processes[peer].crash = nil }
        for round in 0..<60 {
            now += 10_000
            for peer in [Peer.agent, .person] where round % 5 == 0 {
                if processes[peer.rawValue].isOnline { try turnLink(of: peer) }
                try turnLink(of: peer)
            }
            try deliverAll()
            try answerQuestions()
            try deliverAll()
            try perform(chat(of: .agent)?.job.phase == .cancelling ? .acknowledgeCancel : .finish, by: .agent)
            try deliverAll()
            if isSettled { return }
        }
    }

    /// Both processes end, and start again with what they stored.
    mutating func startAgain() throws {
        now += 10_000
        for peer in [Peer.agent, .person] {
            try finish(peer)
            try restart(peer)
        }
    }

    var isSettled: Bool {
        let chats = [chat(of: .person), chat(of: .agent)].compactMap(\.self)
        let isIdle = chats.count == 2 && !chats.contains { $0.job.isBusy }
        return isIdle && delivered.count + refused.count == contents.count
    }

    mutating func deliverAll() throws {
        var isQuiet = false
        while !isQuiet {
            isQuiet = processes.allSatisfy(\.underWay.isEmpty)
            for peer in [Peer.person, .agent] {
                try deliver(to: peer, losing: false)
                try wake(peer)
            }
        }
    }

    mutating func deliver(to peer: Peer, losing: Bool = true) throws {
        guard !processes[peer.rawValue].underWay.isEmpty else { return }
        let addressed = processes[peer.rawValue].underWay.removeFirst()
        guard !losing || random.below(100) >= loss else { return note("lost") }
        processes[peer.rawValue].core.receive([Delivery(addressed)], now: clock)
        try finish(peer)
    }

    mutating func turnLink(of peer: Peer) throws {
        let isOnline = processes[peer.rawValue].isOnline
        processes[peer.rawValue].isOnline = !isOnline
        processes[peer.rawValue].underWay = []
        if isOnline { note("cut", "\(peer)") }
        processes[peer.rawValue].core.notice(
            isOnline ? .interrupted("cut", on: nil) : .resumed(on: nil), now: clock)
        try finish(peer)
    }

    mutating func wake(_ peer: Peer) throws {
        guard let alarm = processes[peer.rawValue].core.nextAlarm, alarm <= clock else { return try finish(peer) }
        processes[peer.rawValue].core.wake(now: clock)
        try finish(peer)
    }
}

// A step of a process: store, publish, show. It may end at each of four points.
extension AgentChatWorld {
    mutating func finish(_ peer: Peer) throws {
        let (place, crash) = (peer.rawValue, processes[peer.rawValue].crash)
        guard crash != .beforeStoring else { return try restart(peer) }
        processes[place].store()
        if peer == .person, let draft {
            (said, contents) = (said + [draft.text], contents + [draft.id])
            self.draft = nil
        }
        guard crash != .beforePublishing else { return try restart(peer) }
        while case let payloads = processes[place].core.takeOutbox(now: clock), !payloads.isEmpty {
            let results = payloads.map { publish($0.addressed, by: peer) }
            guard crash != .beforeResults else { return try restart(peer) }
            processes[place].core.settle(payloads, results, now: clock)
            processes[place].store()
        }
        _ = processes[place].core.takeSubscriptions()
        let wanted = Set(processes[place].core.wanted.keys)
        processes[place].core.subscribed(wanted)
        let batches = processes[place].core.waitingBatches
        for batch in batches where batch.number == 0 || batch.number > processes[place].lastBatch {
            processes[place].lastBatch = max(processes[place].lastBatch, batch.number)
            for event in batch.events { peer == .person ? show(event) : tell(event) }
        }
        guard crash != .beforeConfirming else { return try restart(peer) }
        for batch in batches { processes[place].core.confirm(batchesUpTo: batch.number) }
        processes[place].store()
    }

    mutating func publish(_ addressed: Addressed, by peer: Peer) -> Result<Receipt, DeliveryError> {
        guard processes[peer.rawValue].isOnline else { return .failure(.unreachable("service", after: .zero)) }
        let other = 1 - peer.rawValue
        if processes[other].isOnline, processes[other].core.wanted[addressed.address] != nil {
            processes[other].underWay.append(addressed)
        }
        return .success(Receipt())
    }

    /// What is on the disk comes back; what was not stored did not happen.
    mutating func restart(_ peer: Peer) throws {
        let point = processes[peer.rawValue].crash
        note("crash \(peer)", point.map { "\($0)" } ?? "at the end")
        if peer == .person { draft = nil } else { answer = nil }
        let disk = processes[peer.rawValue].disk
        processes[peer.rawValue].core = try makeCore(disk)
        (processes[peer.rawValue].crash, processes[peer.rawValue].underWay) = (nil, [])
        processes[peer.rawValue].isOnline = true
        try finish(peer)
    }
}
