import ChatModel

/// A discovery that works, a table in memory, with one defect, named by the check that must find it.
final class BrokenDiscovery: DiscoveryProtocol {
    enum Defect: String, CaseIterable, Sendable {
        case badName = "FW-01"
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

    var facts: Facts { Facts(name: defect == .badName ? "my discovery" : "table", summary: "a table in memory") }

    func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        let text = defect == .mixesNamesUp ? String(name.prefix { $0 != " " }) : name
        table.with { $0[text] = bundles }
        return [text]
    }

    func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        let all = table.with { $0 }
        guard failures.with({ $0 }) < 50 else { throw .notFound("anything") }
        if defect == .findsEverybody {
            return Introductions([Introduction(name: "all", bundles: all.values.flatMap(\.self))])
        }
        guard var bundles = all[text] ?? (defect == .findsAnything ? [IntroductionBundle(scheme: "x", bytes: [])] : nil)
        else {
            if defect == .givesUp { failures.with { $0 += 1 } }
            throw .notFound(text)
        }
        for index in bundles.indices {
            if defect == .cuts { bundles[index].bytes = bundles[index].bytes.slice(0..<10) }
            if defect == .forgetsSchemes { bundles[index].scheme = "" }
        }
        return Introductions([Introduction(name: text, bundles: bundles)])
    }
}
