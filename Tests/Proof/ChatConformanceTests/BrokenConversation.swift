import ChatConversation
import ChatModel
import TestSupport

/// A good conversation type with one defect, named by the check that must find it.
///
/// A suite is given a type and not a value, so the defect is bound to the task that runs it.
struct BrokenConversation: SimpleConversation {
    enum Defect: String, CaseIterable, Sendable, BreaksCheck {
        case badName = "FW-01"
        case noSummary = "FW-01 summary"
        case listensNowhere = "CT-05 nowhere"
        case losesTheOpening = "CT-06 opening"
        case doublesLatecomers = "DS-05 twice"
        case silentAfterDisorder = "DS-05 answer"
        case stopsAfterARepeat = "DS-12 afterwards"
        case refusesSizesOtherwise = "DS-09 outcome"
        case leavesSends = "DS-09 turn"
        case cutsWhatFits = "DS-09 content"
        case stopsAfterARefusal = "DS-09 afterwards"
        case refusesOtherwise = "CT-09 cause"
        case leavesRemovals = "CT-16 turn"
        case usesUpOriginals = "CONV-02b original"
        case reportsRefusals = "MODEL-2 turn"
        case listensElsewhere = "MODEL-2 listening"
        case refusesItsRecords = "MODEL-3 refusal"
        case becomesAnother = "MODEL-3 id"
        case takesNoRecords = "MODEL-3b nothing"
        case silentAcrossConversations = "CT-15 silence"
        case silentWhileBusy = "CONV-03 silence"
        case silentAfterARepeat = "DS-12 silence"
        case silentAfterARefusal = "DS-09 silence"
        case silentAfterForgeries = "CONV-02b silence"
        case silentAfterMany = "MODEL-4 silence"
        case silentOnCopies = "MODEL-1 silence"
        case silentAfterARestart = "MODEL-3 silence"
        case takesAnyVersion = "MODEL-3b version"
        case forgetsToWake = "MODEL-3c waking"
        case refusesSeeds = "CT-06 seed"
        case refusesOpenings = "CT-06 invite"
        case refusesTheFirst = "CT-06 first"
        case opensNothing = "CT-06 no opening"
        case refusesSarosContent = "CT-06 sending"
        case refusesRayasContent = "CONV-03 sending"
        case refusesForSaro = "CONV-03 receiving"
        case refusesForRaya = "CT-06 receiving"
        case drawsIDs = "CT-01"
        case shortIDs = "CT-02"
        case oneID = "CT-03"
        case wrongAddress = "CT-04"
        case wanders = "CT-05"
        case cuts = "CT-06"
        case doubles = "CT-07"
        case readsContent = "CT-14"
        case sharesAcrossConversations = "CT-15"
        case takesTurns = "CONV-03"
        case stopsAtAGap = "DS-04"
        case dropsLatecomers = "DS-05"
        case deliversRepeats = "DS-12"
        case tooLarge = "DS-09"
        case doesAnything = "CT-09"
        case removesAnybody = "CT-16"
        case claimsNothing = "CONV-02"
        case claimsConfidentiality = "CONV-02a"
        case claimsIntegrity = "CONV-02b"
        case refusesAsUnable = "CT-10"
        case recordsRefusals = "MODEL-2"
        case givesUp = "MODEL-4"
        case sharesWithCopies = "MODEL-1"
        case storesOnce = "MODEL-3"
        case takesAnyRecord = "MODEL-3b"
        case hoards = "MODEL-5"
        case movesOnRestart = "MODEL-3c"
        case wakesInThePast = "MODEL-6"
        case sendsPartsWhole = "PART-1"
        case sendsAfterTheEnd = "PART-2"
        case countsAnewAfterATurn = "CONVERSATION-12"
        case countsAnewAfterARestart = "CONVERSATION-12b"
        case drawsSecrets = "CONVERSATION-13"
        case forgetsTheOldSecret = "CONVERSATION-13b"
        case neverMovesItsWindow = "CONVERSATION-14"
        case refusesPartsOtherwise = "PART-1 outcome"
        case leavesParts = "PART-1 turn"
        case givesNewReferences = "PART-1 references"
        case refusesParts = "PART-1 receiving"
        case countsSometimes = "CONVERSATION-12 sometimes"
        case opensOnce = "CONTACT-3"
        case losesTheLateOpening = "CONTACT-3 opening"
        case silentAfterALateOpening = "CONTACT-3 answer"
        case partsAreWholeAfterARestart = "DURABLE-5"
    }

    @TaskLocal static var defect: Defect = .badName

    static var facts: Facts {
        let (sealed, plain) = (PrivateV1.Libchat.facts, PlainConversation.facts)
        switch defect {
        case .badName: return Facts(name: "two words", summary: "a summary", claims: sealed.claims)
        case .noSummary: return Facts(name: sealed.name, summary: "", claims: sealed.claims)
        case .claimsNothing: return Facts(name: sealed.name, summary: sealed.summary)
        case .claimsConfidentiality:
            return Facts(name: "plain", summary: plain.summary, claims: [Claim(.confidentiality, "CONV-02")])
        case .claimsIntegrity:
            return Facts(name: "plain", summary: plain.summary, claims: [Claim(.integrity, "CONV-02")])
        default: return sealed
        }
    }

    /// The conversation that was made last, for a defect that mixes conversations up.
    private static let latest = Shared<UInt64>(0)

    private var inner: any Conversation
    private let token = UInt64.random(in: 1 ... .max)
    private let seen = Shared<[Bytes: [Event]]>([:])
    private var extra: [Record] = []
    private var isRestored = false
    private var (isStored, isBusy, refusals, received) = (false, false, 0, 0)
    private var last: UInt64?
    private var count: UInt64 = 0
    private var (isRefusing, isDisordered) = (false, false)
    private static let malformed = Refusal(.invalid, CommonCause.malformed("anything", at: 0))
    private let isResponder: Bool

    private var defect: Defect { Self.defect }

    private static var innerType: any ConversationProtocol {
        switch defect {
        case .claimsConfidentiality, .claimsIntegrity: PlainConversation.type
        case .sendsAfterTheEnd, .givesNewReferences, .refusesParts, .partsAreWholeAfterARestart: ToyStream.type
        default: PrivateV1.Libchat.type
        }
    }

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
        if Self.defect == .refusesSeeds { throw Self.malformed }
        if Self.defect == .refusesOpenings, seed.role == .responder { throw Self.malformed }
        inner = try Self.innerType.begin(seed, in: &step)
        isResponder = seed.role == .responder
        if Self.defect == .losesTheOpening || Self.defect == .losesTheLateOpening {
            var left = step.takeOutput()
            left.events = []
            step.take(left)
        }
        if isResponder { Self.latest.with { $0 = token } }
    }

    init(restoring records: [Record]) throws(Refusal) {
        if Self.defect == .refusesItsRecords, !records.isEmpty { throw Self.malformed }
        do throws(Refusal) {
            inner = try Self.innerType.restore(records.filter { !$0.key.hasPrefix("hoard/") })
        } catch {
            guard
                Self.defect == .takesAnyRecord || Self.defect == .takesNoRecords && records.isEmpty
                    || Self.defect == .takesAnyVersion && !records.isEmpty
            else {
                throw error
            }
            var step = Step(now: .zero, random: RepeatableRandom(seed: 1))
            let secret = Secret(count: 32) { $0[0] = 1 }
            inner = try PlainConversation(ConversationSeed(type: "plain", side: .inviting(), secret: secret), in: &step)
        }
        (isResponder, isStored, isRestored) = (false, true, true)
    }

    var id: ConversationID {
        switch defect {
        case .drawsIDs: ConversationID(bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: token), count: 18))
        case .shortIDs: ConversationID(String(inner.id.text.prefix(12)))
        case .oneID: ConversationID(bytes: [UInt8](repeating: 7, count: 18))
        case .becomesAnother where isRestored: ConversationID(bytes: [UInt8](repeating: 7, count: 18))
        default: inner.id
        }
    }

    var nextWake: Timestamp? {
        switch defect {
        case .wakesInThePast: Timestamp(milliseconds: 1)
        case .forgetsToWake: isRestored ? nil : Timestamp(milliseconds: 1 << 42)
        default: inner.nextWake
        }
    }

    var listening: [Listening] {
        switch defect {
        case .listensNowhere: []
        case .listensElsewhere where refusals > 0: inner.listening.map { Listening("elsewhere", $0.route) }
        case .movesOnRestart where isRestored: []
        case .wanders where received > 0:
            inner.listening.map { Listening(DeliveryAddress("\($0.address) \(received)"), $0.route) }
        case .forgetsTheOldSecret: inner.listening.suffix(1)
        case .neverMovesItsWindow:
            inner.listening.map { Listening($0.address, $0.route, window: SequenceWindow(lowestWanted: 1)) }
        default: inner.listening
        }
    }

    mutating func takeChanges() -> [Record] {
        defer { (extra, isStored) = ([], true) }
        if defect == .storesOnce, isStored { return [] }
        return inner.takeChanges() + extra
    }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        switch (defect, action) {
        case (.doesAnything, .frame), (.removesAnybody, .remove): return
        case (.sendsPartsWhole, .send(let content, let part, _)) where part != .whole:
            return try perform(.send(content), as: id, in: &step)
        case (.partsAreWholeAfterARestart, .send(let content, let part, _)) where part != .whole && isRestored:
            return try perform(.send(content), as: ContentID(id.number + 1_000 + UInt64(content.count)), in: &step)
        case (.refusesPartsOtherwise, .send(_, let part, _)) where part != .whole: throw Self.malformed
        case (.leavesParts, .send(_, let part, _)) where part != .whole:
            step.report(.members([]))
            return try inner.perform(action, as: id, in: &step)
        case (.sendsAfterTheEnd, .send):
            do throws(Refusal) { return try inner.perform(action, as: id, in: &step) } catch {
                return try inner.perform(action, as: ContentID(id.number + 1_000), in: &step)
            }
        case (.refusesTheFirst, .send) where !isResponder && !isBusy: throw Self.malformed
        case (.refusesSarosContent, .send) where !isResponder && isBusy: throw Self.malformed
        case (.refusesRayasContent, .send) where isResponder: throw Self.malformed
        case (.refusesOtherwise, .frame): throw Self.malformed
        case (.leavesRemovals, .remove):
            step.report(.members([]))
            throw Self.malformed
        case (.stopsAfterARefusal, .send) where isRefusing: throw Self.malformed
        case (.silentAfterDisorder, .send) where isDisordered: return
        case (.silentAfterARefusal, .send(let content, _, _)) where isRefusing && content.count == 1: return
        case (.hoards, .send):
            extra.append(Record("hoard/\(id)", Bytes([UInt8](repeating: 1, count: 20_000))))
        default: break
        }
        let limit = defect == .tooLarge ? .max : step.maximumPayload
        var own = Step(now: step.now, maximumPayload: limit, headRoom: step.headRoom, random: step.random)
        do throws(Refusal) { try inner.perform(action, as: id, in: &own) } catch {
            isRefusing = true
            if defect == .leavesSends { step.report(.refused(error)) }
            throw defect == .refusesSizesOtherwise ? Self.malformed : error
        }
        isBusy = true
        step.random = own.random
        var left = own.takeOutput()
        if defect == .opensNothing || defect == .opensOnce && isRestored { left.openings = [] }
        for index in left.sends.indices {
            count += 1
            switch defect {
            case .wrongAddress: left.sends[index].routed.address = "elsewhere"
            case .countsSometimes where count % 3 == 0: left.sends[index].routed.sequence = 0
            case .countsAnewAfterATurn, .countsAnewAfterARestart: left.sends[index].routed.sequence = count
            case .drawsSecrets:
                let id = left.sends[index].routed.route.id
                left.sends[index].routed.route = Route(id, secret: step.random.secret(32, for: .secret))
            default: break
            }
        }
        left.events = []
        step.take(left)
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        if defect == .refusesForSaro, !isResponder { throw Self.malformed }
        if defect == .refusesForRaya || defect == .refusesParts, isResponder { throw Self.malformed }
        if defect == .stopsAfterARepeat, isRefusing { throw Self.malformed }
        try check(routed)
        var left: Step.Output
        do throws(Refusal) {
            left = try step.lend { (step) throws(Refusal) in try inner.receive(routed, in: &step) }.output
        } catch {
            if defect == .deliversRepeats, let events = seen.with({ $0[routed.payload] }) {
                return events.forEach { step.report($0) }
            }
            if defect == .recordsRefusals { extra.append(Record("refused", [1])) }
            isRefusing = true
            refusals += 1
            if defect == .reportsRefusals { step.report(.refused(error)) }
            throw defect == .refusesAsUnable ? Refusal(.unable, error.cause) : error
        }
        let isSilent = isSilent(for: routed)
        isDisordered = isDisordered || routed.sequence < last ?? 0
        (isBusy, received) = (false, received + 1)
        if defect == .countsAnewAfterATurn { count = 0 }
        last = max(last ?? 0, routed.sequence)
        let events = left.events
        left.events = []
        step.take(left)
        if isSilent { return }
        seen.with { $0[routed.payload] = events }
        for event in events {
            step.report(spoiled(event))
            if defect == .doubles || defect == .doublesLatecomers && isDisordered { step.report(event) }
        }
    }

    /// Whether it takes a payload and tells nothing of it.
    private func isSilent(for routed: Routed) -> Bool {
        switch defect {
        case .silentAcrossConversations: isResponder && Self.latest.with { $0 } != token
        case .silentWhileBusy: isBusy && received > 0
        case .silentAfterARepeat, .silentAfterForgeries: refusals > 0
        case .silentAfterMany: refusals > 100
        case .silentOnCopies: seen.with { $0[routed.payload] } != nil
        case .silentAfterARestart, .silentAfterALateOpening: isRestored
        default: false
        }
    }

    private func check(_ routed: Routed) throws(Refusal) {
        let isExpected = last.map { routed.sequence == $0 + 1 } ?? true
        let refused: Refusal.Outcome? =
            switch defect {
            case .takesTurns where isBusy && received > 0: .invalid
            case .stopsAtAGap where !isExpected: .early
            case .dropsLatecomers where routed.sequence < last ?? 0: .invalid
            case .sharesAcrossConversations where isResponder && Self.latest.with { $0 } != token: .invalid
            case .sharesWithCopies where seen.with { $0[routed.payload] } != nil: .invalid
            case .givesUp where refusals > 100: .invalid
            case .usesUpOriginals where refusals > 0: .invalid
            default: nil
            }
        if let refused { throw Refusal(refused, CommonCause.malformed("payload", at: 0)) }
    }

    private func spoiled(_ event: Event) -> Event {
        guard case .content(let received) = event else { return event }
        let content = received.content
        switch defect {
        case .cutsWhatFits: return .content(ReceivedContent(content.slice(0..<min(900, content.count))))
        case .cuts: return .content(ReceivedContent(content.slice(0..<min(100, content.count))))
        case .givesNewReferences:
            return .content(ReceivedContent(content, part: received.part, reference: "\(content.count)"))
        case .readsContent where content.count > 0 && content[0] == 0x0a:
            return .content(ReceivedContent(content.slice(1..<content.count)))
        default: return event
        }
    }
}
