import AgentChat
import ChatClient
import ChatCodec
import ChatModel
import TestSupport
import Testing

/// A person's process and an agent's, each a core with a disk and an application, and the service between them.
///
/// All from one seed. The service delivers in order, without retention: what is lost on the way, or comes while a link
/// is down, is gone, and nobody is told of a single loss.
struct SimulatedPair {
    enum Peer: Int { case person, agent }

    /// Where in a step a process can end.
    private enum CrashPoint: CaseIterable { case beforeStoring, beforePublishing, beforeResults, beforeConfirming }

    /// What happened, to see that it did.
    struct Tally {
        private var counts: [String: Int] = [:]
        static let wanted = [
            "lost", "cut", "crash person", "crash agent", "completed", "cancelled", "failed", "asked", "injected",
            "approved", "split",
        ]

        var isEnough: Bool { Self.wanted.allSatisfy { counts[$0, default: 0] >= 3 } }
        mutating func note(_ what: String) { counts[what, default: 0] += 1 }
        mutating func add(_ other: Tally) { counts.merge(other.counts, uniquingKeysWith: +) }
    }

    private struct Process {
        var core: ChatCore
        var disk: [String: Bytes] = [:]
        var isOnline = true
        var lastBatch: UInt64 = 0
        var crash: CrashPoint?
        var conversation: ConversationID?
        var underWay: [Addressed] = []

        mutating func store() { for record in core.takeUrgentRecords() { disk[record.key] = record.bytes } }
    }

    private var processes: [Process] = []
    private var random: SplitMix64
    private var now: UInt64 = 1_000
    private let loss: Int
    private var (drawn, minted): (UInt64, Int) = (0, 0)

    /// What the person said, as far as it was stored, and what became of it.
    private(set) var said: [String] = []
    private(set) var contents: [ContentID] = []
    private(set) var delivered: Set<ContentID> = []
    private(set) var refused: [ContentID: String] = [:]
    /// The person's fold of what the application heard, by message.
    private(set) var texts: [String: String] = [:]
    /// What the agent's application was told to work on.
    private(set) var submitted: [String] = []
    private(set) var tally = Tally()
    private var draft: (text: String, id: ContentID)?
    private var injections: [Identifier] = []

    init(seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        loss = random.below(4) * 5
        let (person, agent) = (try makeCore([:]), try makeCore([:]))
        processes = [Process(core: person), Process(core: agent)]
        let bundle = try processes[1].core.introduce(1, now: clock)[0]
        try finish(.agent)
        let (id, content) = try processes[0].core.begin(
            ConversationType(AgentChat.name), with: bundle, saying: Bytes("say 0"), now: clock)
        processes[0].conversation = id
        draft = ("say 0", try #require(content))
        try finish(.person)
    }

    private var clock: Timestamp { Timestamp(milliseconds: now) }

    private mutating func makeCore(_ disk: [String: Bytes]) throws -> ChatCore {
        drawn += 1
        let records = disk.sorted { $0.key < $1.key }.map { Record($0.key, $0.value) }
        return try ChatCore(
            AgentReady(), conversations: [AgentChat()], framing: AgentFraming(),
            delivery: DeliveryLimits(maximumPayload: AgentJSON.maximumFrame, offers: [.ordering]),
            random: SeededRandom(random.next() &+ drawn), restoring: records, now: clock)
    }

    /// What a machine knows of the chat.
    func chat(of peer: Peer) -> ChatState? {
        let process = processes[peer.rawValue]
        return process.conversation.flatMap { process.core.machine($0) as? AgentChatConversation }?.chat
    }
}

// What happens.
extension SimulatedPair {
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
        case 12...15: try answer()
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
            try answer()
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

    private var isSettled: Bool {
        let chats = [chat(of: .person), chat(of: .agent)].compactMap(\.self)
        let isIdle = chats.count == 2 && !chats.contains { $0.job.isBusy }
        return isIdle && delivered.count + refused.count == contents.count
    }

    private mutating func deliverAll() throws {
        var isQuiet = false
        while !isQuiet {
            isQuiet = processes.allSatisfy(\.underWay.isEmpty)
            for peer in [Peer.person, .agent] {
                try deliver(to: peer, losing: false)
                try wake(peer)
            }
        }
    }

    private mutating func deliver(to peer: Peer, losing: Bool = true) throws {
        guard !processes[peer.rawValue].underWay.isEmpty else { return }
        let addressed = processes[peer.rawValue].underWay.removeFirst()
        guard !losing || random.below(100) >= loss else { return tally.note("lost") }
        processes[peer.rawValue].core.receive([Delivery(addressed)], now: clock)
        try finish(peer)
    }

    private mutating func turnLink(of peer: Peer) throws {
        let isOnline = processes[peer.rawValue].isOnline
        processes[peer.rawValue].isOnline = !isOnline
        processes[peer.rawValue].underWay = []
        if isOnline { tally.note("cut") }
        processes[peer.rawValue].core.notice(
            isOnline ? .interrupted("cut", on: nil) : .resumed(on: nil), now: clock)
        try finish(peer)
    }

    private mutating func wake(_ peer: Peer) throws {
        guard let alarm = processes[peer.rawValue].core.nextAlarm, alarm <= clock else { return try finish(peer) }
        processes[peer.rawValue].core.wake(now: clock)
        try finish(peer)
    }
}

// What the two want.
extension SimulatedPair {
    private mutating func mint() -> Int {
        minted += 1
        return minted
    }

    private mutating func say() throws {
        guard let id = processes[0].conversation, said.count < 40 else { return }
        let text = "say \(mint())"
        guard let content = try? processes[0].core.send(Bytes(text), in: id, now: clock) else { return }
        draft = (text, content)
        try finish(.person)
    }

    /// What a machine refuses did not happen.
    private mutating func perform(_ action: AgentChatAction, by peer: Peer) throws {
        guard let id = processes[peer.rawValue].conversation else { return }
        let isDone = (try? processes[peer.rawValue].core.perform(action.action, in: id, now: clock)) != nil
        if isDone, case .approve = action { tally.note("approved") }
        if isDone, case .split = action { tally.note("split") }
        try finish(peer)
    }

    private mutating func answer() throws {
        guard let request = chat(of: .person)?.job.request else { return }
        try perform(.answer(request.questions.map { .init(question: $0.id, text: "yes") }), by: .person)
    }

    private mutating func approve() throws {
        let parts = chat(of: .person)?.shown.flatMap(\.parts) ?? []
        for case .tool(let tool) in parts {
            guard case .approvalRequested(_, let id) = tool.state else { continue }
            return try perform(.approve(id, random.below(2) == 0, reason: nil), by: .person)
        }
    }

    private mutating func work() throws {
        guard let chat = chat(of: .agent), chat.job.isLive, let writes = chat.job.message else { return }
        if let tool = answeredTool(chat[writes]) {
            return try perform(.write(.tool(tool), consolidated: false), by: .agent)
        }
        switch random.below(16) {
        case 0: try perform(.finish, by: .agent)
        case 1: try perform(.fail("broke"), by: .agent)
        case 2: try perform(.ask([.init(id: "q", text: "?")]), by: .agent)
        case 3: try askApproval()
        case 4 where !injections.isEmpty: try perform(.split(injections.removeFirst()), by: .agent)
        case _ where chat.job.phase == .cancelling: try perform(.acknowledgeCancel, by: .agent)
        default:
            let part = MessagePart.text(TextPart("word \(mint()) ", state: .streaming))
            try perform(.write(part, consolidated: false), by: .agent)
        }
    }

    private mutating func askApproval() throws {
        guard let call = Identifier(checking: "call\(mint())"), let id = Identifier(checking: "approval\(mint())")
        else {
            return
        }
        var tool = ToolPart(name: .fixed("book"), callID: call, state: .inputAvailable(input: 7))
        try perform(.write(.tool(tool), consolidated: false), by: .agent)
        tool.state = .approvalRequested(input: 7, id: id)
        try perform(.write(.tool(tool), consolidated: false), by: .agent)
        try perform(.finish, by: .agent)
    }

    /// A tool whose approval was answered, at its end.
    private func answeredTool(_ message: Message?) -> ToolPart? {
        for case .tool(var tool) in message?.parts ?? [] {
            guard case .approvalResponded(let input, let approval) = tool.state else { continue }
            tool.state =
                approval.approved
                ? .outputAvailable(input: input, output: 1, approval, preliminary: nil)
                : .outputDenied(input: input, approval)
            return tool
        }
        return nil
    }
}

// A step of a process: store, publish, show. It may end at each of four points.
extension SimulatedPair {
    private mutating func finish(_ peer: Peer) throws {
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

    private mutating func publish(_ addressed: Addressed, by peer: Peer) -> Result<Receipt, DeliveryError> {
        guard processes[peer.rawValue].isOnline else { return .failure(.unreachable("service", after: .zero)) }
        let other = 1 - peer.rawValue
        if processes[other].isOnline, processes[other].core.wanted[addressed.address] != nil {
            processes[other].underWay.append(addressed)
        }
        return .success(Receipt())
    }

    /// What is on the disk comes back; what was not stored did not happen.
    private mutating func restart(_ peer: Peer) throws {
        tally.note("crash \(peer)")
        if peer == .person { draft = nil }
        let disk = processes[peer.rawValue].disk
        processes[peer.rawValue].core = try makeCore(disk)
        (processes[peer.rawValue].crash, processes[peer.rawValue].underWay) = (nil, [])
        processes[peer.rawValue].isOnline = true
        try finish(peer)
    }
}

// The applications.
extension SimulatedPair {
    /// The person's: folds what it hears.
    private mutating func show(_ event: ClientEvent) {
        guard case .conversation(_, let event) = event else { return }
        switch event {
        case .status(let content, .delivered): delivered.insert(content)
        case .status(let content, .failed(let reason)): refused[content] = reason
        case .content(let received):
            guard let id = received.reference else { return }
            let text = String(decoding: received.content.array, as: UTF8.self)
            texts[id] = received.part == .delta ? texts[id, default: ""] + text : text
        default:
            switch AgentChatEvent(event) {
            case .history(let messages)?: for message in messages { texts[message.id.text] = message.text }
            case .asked?: tally.note("asked")
            case .ended(let outcome, _, _)?: tally.note(outcome.rawValue)
            default: break
            }
        }
    }

    /// The agent's: notes what it is to do.
    private mutating func tell(_ event: ClientEvent) {
        switch event {
        case .began(let id, _, _, _): processes[1].conversation = id
        case .conversation(_, let event):
            switch AgentChatEvent(event) {
            case .submitted(let message, _, _)?:
                injections = []
                if message.role == .user { submitted.append(message.text) }
            case .injected(let id, _)?:
                injections.append(id)
                tally.note("injected")
            default: break
            }
        default: break
        }
    }
}
