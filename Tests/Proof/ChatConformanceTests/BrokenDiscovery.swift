import ChatModel

/// A discovery that works, a table in memory, with one defect, named by the check that must find it.
final class BrokenDiscovery: DiscoveryProtocol {
    enum Defect: String, CaseIterable, Sendable, BreaksCheck {
        case badName = "FW-01"
        case noSummary = "FW-01 summary"
        case givesNoText = "DISC-01 text"
        case refusesToPublish = "DISC-01 publishing"
        case refusesToFind = "DISC-01 finding"
        case givesOthers = "DISC-05 others"
        case losesAll = "DISC-05 nothing"
        case findsNothingLater = "DISC-05 silence"
        case findsNothingAfterMany = "MODEL-4 silence"
        case cuts = "DISC-01"
        case forgetsSchemes = "DISC-01b"
        case findsEverybody = "DISC-01c"
        case findsAnything = "INTRO-01"
        case mixesNamesUp = "DISC-05"
        case givesUp = "MODEL-4"
    }

    private let defect: Defect
    private let table = Shared<[String: [IntroductionBundle]]>([:])
    private let failures = Shared(0)

    init(_ defect: Defect) {
        self.defect = defect
    }

    var facts: Facts {
        Facts(
            name: defect == .badName ? "my discovery" : "table",
            summary: defect == .noSummary ? "" : "a table in memory")
    }

    func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        if defect == .refusesToPublish { throw .notFound("a place") }
        if defect == .findsNothingLater, name == "" { failures.with { $0 = 50 } }
        if defect == .losesAll, name == "" { table.with { $0 = [:] } }
        if defect == .givesOthers, name == "" { table.with { $0["undisturbed"] = bundles } }
        let text = defect == .mixesNamesUp ? String(name.prefix { $0 != " " }) : name
        table.with { $0[text] = bundles }
        return defect == .givesNoText ? [] : [text]
    }

    func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        if defect == .refusesToFind { throw .notFound(text) }
        let all = table.with { $0 }
        if failures.with({ $0 }) >= 50 {
            if defect == .findsNothingLater || defect == .findsNothingAfterMany { return Introductions([]) }
            throw .notFound("anything")
        }
        if defect == .findsEverybody {
            return Introductions([Introduction(name: "all", bundles: all.values.flatMap(\.self))])
        }
        guard var bundles = all[text] ?? (defect == .findsAnything ? [IntroductionBundle(scheme: "x", bytes: [])] : nil)
        else {
            if [.givesUp, .findsNothingAfterMany].contains(defect) { failures.with { $0 += 1 } }
            throw .notFound(text)
        }
        for index in bundles.indices {
            if defect == .cuts { bundles[index].bytes = bundles[index].bytes.slice(0..<10) }
            if defect == .forgetsSchemes { bundles[index].scheme = "" }
        }
        return Introductions([Introduction(name: text, bundles: bundles)])
    }
}
