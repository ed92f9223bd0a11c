import ChatCrypto
import ChatInitialization
import ChatModel
import TestSupport

/// A good initialization with one defect, named by the check that must find it.
struct BrokenInitialization: InitializationProtocol {
    enum Defect: String, CaseIterable, Sendable, BreaksCheck {
        case badName = "FW-01"
        case noSummary = "FW-01 summary"
        case makesNone = "INIT-01 none"
        case refusesToIntroduce = "INIT-01 introducing"
        case refusesBundles = "INIT-01 bundles"
        case refusesToInvite = "INIT-01 inviting"
        case sendsNothing = "INIT-01 nothing"
        case refusesInvites = "INIT-01 invites"
        case beginsNothing = "INIT-01 beginning"
        case otherRole = "INIT-01 role"
        case otherKeys = "INIT-01 keys"
        case forgetsThePeer = "INIT-01 peer"
        case otherIdentity = "INIT-01 identity"
        case shortSecret = "INIT-01b size"
        case oneSecret = "INIT-01b once"
        case cutsOpenings = "INIT-03 opening"
        case refusesSchemesAsInvalid = "INIT-04 outcome"
        case reportsSchemes = "INIT-04 turn"
        case refusesSizesOtherwise = "DS-09 outcome"
        case refusesBundlesThere = "DS-09 bundle"
        case refusesFive = "INIT-02b refusal"
        case makesFewer = "INIT-02b count"
        case forgetsUse = "INBOX-06 used"
        case reportsRefusals = "MODEL-2 turn"
        case refusesItsRecords = "INBOX-06 records"
        case forgetsToWake = "MODEL-3c waking"
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
        case namesAnotherContact = "INIT-01 contact"
        case refusesItsContacts = "CONTACT-3 records"
        case mixesOpenings = "CONTACT-3 opening"
        case refusesKnocks = "INIT-01 knock"
        case neverAnswers = "INIT-01 answer"
        case forgetsWhatIsPending = "CONTACT-1"
        case endsOnForgery = "CONTACT-2"
        case reportsForgeries = "CONTACT-2 turn"
        case recordsForgeries = "CONTACT-2 records"
        case knocksOnce = "CONTACT-7"

        /// Whether a first contact of several messages is needed to have it.
        var isPending: Bool {
            switch self {
            case .refusesKnocks, .neverAnswers, .forgetsWhatIsPending, .endsOnForgery, .reportsForgeries,
                .recordsForgeries, .knocksOnce:
                true
            default: false
            }
        }
    }

    private let defect: Defect
    private var inner: any InitializationProtocol
    private let seen = Shared<Set<Bytes>>([])
    private var extra: [Record] = []
    private var refusals = 0
    private var isRestored = false

    init(_ defect: Defect, _ number: Int) throws {
        self.defect = defect
        let secret = Secret(count: 32) { $0[0] = UInt8(number + 1) }
        inner =
            defect.isPending ? ToyHandshake("client \(number)") : try InboxV1(identity: X25519.keyPair(secret))
    }

    var facts: Facts {
        switch defect {
        case .badName: Facts(name: "Inbox+", summary: "x")
        case .noSummary: Facts(name: "inbox", summary: "")
        case .endsOnForgery: Facts(name: "toy", summary: "a toy", claims: [Claim(.integrity, "TOY")], messages: 3)
        default: inner.facts
        }
    }

    private static let malformed = Refusal(.invalid, CommonCause.malformed("anything", at: 0))
    private static let one = Secret(count: 32) { $0[0] = 1 }
    /// The first records that were stored, for a defect that puts an old copy back.
    private let first = Shared<[Record]>([])
    var listening: [Listening] { defect == .movesOnRestart && isRestored ? [] : inner.listening }
    var nextWake: Timestamp? {
        switch defect {
        case .wakesInThePast: Timestamp(milliseconds: 1)
        case .forgetsToWake: isRestored ? nil : Timestamp(milliseconds: 1 << 42)
        default: inner.nextWake
        }
    }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        if defect == .keepsContacts, case .contactEnded = signal { return }
        inner.handle(signal, in: &step)
    }

    mutating func restore(_ records: [Record]) throws(Refusal) {
        isRestored = true
        switch defect {
        case .forgetsOnRestart: return
        case .refusesItsRecords: throw Self.malformed
        case .refusesItsContacts where records.contains { $0.key.hasPrefix("contact/") }: throw Self.malformed
        case .forgetsUse: try inner.restore(first.with { $0 })
        case .takesAnyRecord: try? inner.restore(records)
        case .hoards: try inner.restore(records.filter { !$0.key.hasPrefix("hoard/") })
        default: try inner.restore(records)
        }
    }

    mutating func takeChanges() -> [Record] {
        defer { extra = [] }
        var changes = inner.takeChanges()
        if defect == .forgetsWhatIsPending { changes.removeAll { $0.key != "open" } }
        if defect == .forgetsContacts { changes.removeAll { $0.key.hasPrefix("contact/") } }
        changes += extra
        first.with { if $0.isEmpty { $0 = changes } }
        return changes
    }

    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        if defect == .hoards {
            let piece = Bytes([UInt8](repeating: 1, count: 100_000))
            extra += (0..<count).map { Record("hoard/\($0)", piece) }
        }
        if defect == .refusesToIntroduce || defect == .refusesFive && count == 5 { throw Self.malformed }
        let bundles = try inner.introduce(count, in: &step)
        if defect == .makesNone { return [] }
        if defect == .makesFewer, count > 1 { return bundles.dropLast() }
        return defect == .oneBundle ? bundles.map { _ in bundles[0] } : bundles
    }

    mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        var bundle = bundle
        if defect == .takesAnyScheme { bundle.scheme = "chatintro_1" }
        if defect == .refusesBundles || defect == .refusesBundlesThere { throw Self.malformed }
        do throws(Refusal) {
            var seed = try inner.begin(type, with: bundle, as: contact, in: &step)
            if defect == .shortSecret { seed?.secret = Secret(count: 16) { $0[0] = 1 } }
            if defect == .oneSecret { seed?.secret = Self.one }
            if defect == .namesAnotherContact { seed?.contact = ContactID(99) }
            if defect == .knocksOnce {
                var left = step.takeOutput()
                for index in left.sends.indices { left.sends[index].contact = nil }
                step.take(left)
            }
            return seed
        } catch {
            if defect == .reportsRefusedBundles || defect == .reportsSchemes { step.report(.refused(error)) }
            throw defect == .refusesSchemesAsInvalid ? Refusal(.invalid, error.cause) : error
        }
    }

    mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        if defect == .refusesToInvite { throw Self.malformed }
        if defect == .sendsNothing { return }
        if defect == .mixesOpenings, isRestored {
            return try inner.invite(contact, opening: Bytes("another"), for: content, in: &step)
        }
        let opening = defect == .cutsOpenings ? opening.slice(0..<opening.count / 2) : opening
        let limit = defect == .tooLarge ? .max : step.maximumPayload
        var own = Step(now: step.now, maximumPayload: limit, headRoom: step.headRoom, random: step.random)
        do throws(Refusal) {
            try inner.invite(contact, opening: opening, for: content, in: &own)
        } catch {
            throw defect == .refusesSizesOtherwise ? Refusal(.invalid, error.cause) : error
        }
        var left = own.takeOutput()
        if defect == .wrongAddress {
            for index in left.sends.indices { left.sends[index].routed.address = "elsewhere" }
        }
        step.take(left)
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        if defect == .refusesInvites || defect == .refusesKnocks { throw Self.malformed }
        if defect == .neverAnswers { return }
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
            if defect == .endsOnForgery { return step.finish(ContactID(1), error) }
            if defect == .reportsRefusals || defect == .reportsForgeries { step.report(.refused(error)) }
            if defect == .recordsRefusals || defect == .recordsForgeries { extra.append(Record("refused", [1])) }
            throw defect == .refusesAsUnable ? Refusal(.unable, error.cause) : error
        }
        if defect == .keepsUsedKeys || defect == .takesRepeats { inner = before }
        let seeds = left.seeds
        left.seeds = []
        step.take(left)
        for var seed in seeds where defect != .beginsNothing {
            switch defect {
            case .otherRole: seed.side = .inviting()
            case .otherKeys: seed.ownKeys = [X25519.keyPairOrNil(Self.one)].compactMap(\.self)
            case .forgetsThePeer: seed.peers = []
            case .otherIdentity: seed.ownIdentity = PublicKey([UInt8](repeating: 9, count: 32))
            case .shortSecret: seed.secret = Secret(count: 16) { $0[0] = 1 }
            case .oneSecret: seed.secret = Self.one
            default: break
            }
            if defect == .otherSecret { seed.secret = Secret(count: 32) { $0[0] = 1 } }
            if defect == .noKeys { seed.ownKeys = [] }
            if defect == .cutsTypes { seed.type = ConversationType(String(seed.type.name.prefix(10))) }
            step.start(seed)
        }
    }
}

extension X25519 {
    /// The key pair of a private key, if it is one.
    fileprivate static func keyPairOrNil(_ secret: Secret) -> KeyPair? { try? keyPair(secret) }
}
