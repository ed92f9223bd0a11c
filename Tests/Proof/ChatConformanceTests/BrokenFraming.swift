import ChatFraming
import ChatModel

/// A good framing with one defect, named by the check that must find it.
struct BrokenFraming: FramingStrategy {
    enum Defect: String, CaseIterable, Sendable, BreaksCheck {
        case badName = "FW-01"
        case noSummary = "FW-01 summary"
        case refusesToWrap = "FR-01 wrapping"
        case refusesItsOwn = "FR-01 unwrapping"
        case ownsEverything = "FR-02b strangers"
        case refusesLongRoutes = "FR-02d refusal"
        case ignoresNewRoutes = "FR-02c new"
        case promisesTooMuch = "DS-03 bound"
        case promisesNothing = "DS-03 nothing"
        case refusesHeaders = "FR-03 outcome"
        case cuts = "FR-01"
        case oneOwner = "FR-02"
        case oneAddress = "FW-04"
        case remembersTheEnded = "FR-02b"
        case cutsRoutes = "FR-02d"
        case remembersTheOld = "FR-02c"
        case sharesItsTable = "MODEL-1"
        case pads = "DS-03"
        case forgetsTheReplyAddress = "DS-07"
        case dropsHeaders = "FR-03"
        case refusesAsUnable = "MODEL-4"
        case invents = "MODEL-5"
        case linksItsPayloads = "FRAMING-8"
        case alwaysTellsMore = "FRAMING-9"
        case neverTellsMore = "FRAMING-9b"
        case neverMoves = "FRAMING-10"
        case forgetsTheOldSecret = "FRAMING-10b"
        case ignoresWindows = "FRAMING-10c"
        case marksItsRoutes = "FRAMING-8 byte"
        case losesTheSecond = "FRAMING-9 order"
        case refusesTheCounted = "FRAMING-9 wrapping"
        case refusesWhatItWrapped = "FRAMING-9 unwrapping"
        case mistakesTheOwner = "FRAMING-9 owner"
        case ignoresNewSecrets = "FRAMING-10b new"
        case losesTheLate = "FRAMING-10c afterwards"
    }

    private let defect: Defect
    private var inner: any FramingStrategy = PlainFraming()
    private let shared = Shared(PlainFraming())
    private var earlier: [Owner: [Listening]] = [:]

    init(_ defect: Defect) {
        self.defect = defect
        let derives: [Defect] = [
            .neverTellsMore, .neverMoves, .forgetsTheOldSecret, .ignoresWindows, .marksItsRoutes, .losesTheSecond,
            .ignoresNewSecrets, .losesTheLate,
        ]
        if derives.contains(defect) { inner = RPIV1() }
    }

    var facts: Facts {
        switch defect {
        case .badName: Facts(name: "Plain/2", summary: "with a slash")
        case .noSummary: Facts(name: "plain", summary: "")
        case .linksItsPayloads:
            Facts(name: "plain", summary: "one hint for all", claims: [Claim(.unlinkability, "X-1")])
        default: inner.facts
        }
    }

    func maximumPayload(within bytes: Int) -> Int {
        switch defect {
        case .promisesTooMuch: bytes + 1
        case .promisesNothing: 0
        default: inner.maximumPayload(within: bytes)
        }
    }
    var headRoom: Int { inner.headRoom }

    mutating func listen(_ listening: [Listening], for owner: Owner) {
        var listening = listening
        switch defect {
        case .remembersTheEnded where listening.isEmpty: return
        case .remembersTheOld:
            listening += earlier[owner] ?? []
            earlier[owner] = listening
        case .ignoresNewRoutes where earlier[owner] != nil: return
        case .ignoresNewRoutes: earlier[owner] = listening
        case .oneAddress: listening = listening.map { Listening("any", $0.route) }
        case .sharesItsTable: shared.with { $0.listen(listening, for: owner) }
        case .forgetsTheOldSecret: listening = listening.suffix(1)
        case .ignoresNewSecrets: listening = Array(listening.prefix(1))
        case .ignoresWindows: listening = listening.map { Listening($0.address, $0.route) }
        default: break
        }
        inner.listen(listening, for: owner)
    }

    mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        let size = routed.route.id.utf8.count
        switch defect {
        case .refusesToWrap: throw Refusal(.unable, CommonCause.malformed("anything", at: 0))
        case .refusesTheCounted where routed.sequence > 0:
            throw Refusal(.unable, CommonCause.malformed("a sequence", at: 0))
        case .refusesLongRoutes where size == Route.maximumID:
            throw Refusal(.unable, CommonCause.malformed("a route", at: 0))
        case .refusesHeaders where !routed.headers.isEmpty:
            throw Refusal(.invalid, CommonCause.malformed("a header", at: 0))
        default: break
        }
        if defect == .cuts { routed.payload = routed.payload.slice(0..<min(routed.payload.count, 1_000)) }
        if defect == .cutsRoutes { routed.route = Route(String(routed.route.id.prefix(Route.maximumID))) }
        if defect == .dropsHeaders { routed.headers = [] }
        if defect == .pads { routed.payload = Bytes(routed.payload.array + [UInt8](repeating: 0, count: 300)) }
        let mark = routed.route.id.utf8.reduce(UInt8(0)) { ($0 &* 31) &+ $1 }
        var addressed = try inner.wrap(routed, of: owner, random: &random)
        if defect == .marksItsRoutes { addressed.payload = Bytes([mark] + addressed.payload.array) }
        if defect == .forgetsTheReplyAddress { addressed.replyAddress = nil }
        return addressed
    }

    func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        var addressed = addressed
        if defect == .refusesItsOwn || defect == .refusesWhatItWrapped {
            throw Refusal(.invalid, CommonCause.malformed("anything", at: 0))
        }
        if defect == .oneAddress { addressed.address = "any" }
        let framing: any FramingStrategy = defect == .sharesItsTable ? shared.with { $0 } : inner
        let found: Unwrapped
        do throws(Refusal) { found = try framing.unwrap(addressed) } catch {
            throw defect == .refusesAsUnable ? Refusal(.unable, error.cause) : error
        }
        guard case .payload(var routed, let owner) = found else {
            guard defect == .ownsEverything else { return found }
            let routed = Routed(addressed.address, Route("any"), payload: addressed.payload)
            return .payload(routed, for: .initialization)
        }
        if defect == .losesTheSecond, routed.sequence == 2 { return .foreign }
        if defect == .losesTheLate, routed.sequence > 1_050 { return .foreign }
        if defect == .invents { routed.payload = Bytes(routed.payload.array + addressed.payload.array) }
        return .payload(routed, for: defect == .oneOwner || defect == .mistakesTheOwner ? .initialization : owner)
    }

    mutating func accepted(_ routed: Routed, for owner: Owner) -> Bool {
        switch defect {
        case .alwaysTellsMore: return true
        case .neverMoves: return false
        default:
            let isMore = inner.accepted(routed, for: owner)
            return isMore && defect != .neverTellsMore
        }
    }
}
