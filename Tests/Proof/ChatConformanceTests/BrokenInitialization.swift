import ChatCrypto
import ChatInitialization
import ChatModel

/// A good initialization with one defect, named by the check that must find it.
struct BrokenInitialization: InitializationProtocol {
    enum Defect: String, CaseIterable, Sendable {
        case badName = "FW-01"
        case otherSecret = "INIT-01"
        case noKeys = "INIT-01b"
        case wrongAddress = "INIT-02"
        case cutsTypes = "INIT-03"
        case takesAnyScheme = "INIT-04"
        case tooLarge = "DS-09"
        case oneBundle = "INIT-02b"
        case keepsUsedKeys = "INBOX-04"
        case takesRepeats = "INBOX-05"
        case forgetsOnRestart = "INBOX-06"
        case refusesAsUnable = "INBOX-13"
        case reportsRefusedBundles = "INTRO-07"
        case sharesWithCopies = "INBOX-14"
        case recordsRefusals = "MODEL-2"
        case takesAnyRecord = "MODEL-3b"
        case givesUp = "MODEL-4"
        case hoards = "MODEL-5"
        case movesOnRestart = "MODEL-3c"
        case wakesInThePast = "MODEL-6"
        case forgetsContacts = "CONTACT-3"
        case keepsContacts = "CONTACT-4"
    }

    private let defect: Defect
    private var inner: InboxV1
    private let seen = Shared<Set<Bytes>>([])
    private var extra: [Record] = []
    private var refusals = 0
    private var isRestored = false

    init(_ defect: Defect, _ number: Int) throws {
        self.defect = defect
        let secret = Secret(count: 32) { $0[0] = UInt8(number + 1) }
        inner = try InboxV1(identity: X25519.keyPair(secret))
    }

    var facts: Facts { defect == .badName ? Facts(name: "Inbox+", summary: "x") : inner.facts }
    var listening: [Listening] { defect == .movesOnRestart && isRestored ? [] : inner.listening }
    var nextWake: Timestamp? { defect == .wakesInThePast ? Timestamp(milliseconds: 1) : inner.nextWake }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        if defect == .keepsContacts, case .contactEnded = signal { return }
        inner.handle(signal, in: &step)
    }

    mutating func restore(_ records: [Record]) throws(Refusal) {
        isRestored = true
        switch defect {
        case .forgetsOnRestart: return
        case .takesAnyRecord: try? inner.restore(records)
        case .hoards: try inner.restore(records.filter { !$0.key.hasPrefix("hoard/") })
        default: try inner.restore(records)
        }
    }

    mutating func takeChanges() -> [Record] {
        defer { extra = [] }
        let changes = inner.takeChanges()
        return (defect == .forgetsContacts ? changes.filter { !$0.key.hasPrefix("contact/") } : changes) + extra
    }

    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        if defect == .hoards {
            let piece = Bytes([UInt8](repeating: 1, count: 100_000))
            extra += (0..<count).map { Record("hoard/\($0)", piece) }
        }
        let bundles = try inner.introduce(count, in: &step)
        return defect == .oneBundle ? bundles.map { _ in bundles[0] } : bundles
    }

    mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        var bundle = bundle
        if defect == .takesAnyScheme { bundle.scheme = "chatintro_1" }
        do throws(Refusal) { return try inner.begin(type, with: bundle, as: contact, in: &step) } catch {
            if defect == .reportsRefusedBundles { step.report(.refused(error)) }
            throw error
        }
    }

    mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        let limit = defect == .tooLarge ? .max : step.maximumPayload
        var own = Step(now: step.now, maximumPayload: limit, headRoom: step.headRoom, random: step.random)
        try inner.invite(contact, opening: opening, for: content, in: &own)
        var left = own.takeOutput()
        if defect == .wrongAddress {
            for index in left.sends.indices { left.sends[index].routed.address = "elsewhere" }
        }
        step.take(left)
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        guard refusals < 100 else { throw Refusal(.invalid, CommonCause.malformed("everything", at: 0)) }
        if defect == .sharesWithCopies, !seen.with({ $0.insert(routed.payload).inserted }) {
            throw Refusal(.invalid, CommonCause.malformed("a repeat", at: 0))
        }
        let before = inner
        var left: Step.Output
        do throws(Refusal) {
            left = try step.lend { (step) throws(Refusal) in try inner.receive(routed, in: &step) }.output
        } catch {
            if defect == .givesUp { refusals += 1 }
            if defect == .recordsRefusals { extra.append(Record("refused", [1])) }
            throw defect == .refusesAsUnable ? Refusal(.unable, error.cause) : error
        }
        if defect == .keepsUsedKeys || defect == .takesRepeats { inner = before }
        let seeds = left.seeds
        left.seeds = []
        step.take(left)
        for var seed in seeds {
            if defect == .otherSecret { seed.secret = Secret(count: 32) { $0[0] = 1 } }
            if defect == .noKeys { seed.ownKeys = [] }
            if defect == .cutsTypes { seed.type = ConversationType(String(seed.type.name.prefix(10))) }
            step.start(seed)
        }
    }
}
