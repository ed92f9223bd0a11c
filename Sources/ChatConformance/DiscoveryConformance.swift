public import ChatModel

extension Conformance {
    /// Checks a discovery (DISC-01, DISC-02, INTRO-01 to INTRO-08 as far as they are visible from outside).
    ///
    /// - Parameters:
    ///   - make: gives a client's end of the discovery.
    ///   - bundles: bundles that the discovery is to carry; ones of a scheme of nobody's if empty.
    ///   - patience: how long finding may take.
    ///   - seed: makes the run repeatable.
    public static func check(
        discovery make: (Int) async throws -> any DiscoveryProtocol, carrying bundles: [IntroductionBundle] = [],
        patience: Duration = .seconds(3), seed: UInt64 = 1
    ) async -> Report {
        guard let (raya, saro) = try? (await make(0), await make(1)) else {
            return Report(
                component: "discovery", name: "?", seed: seed,
                results: [
                    .init(id: "DISC-01", requirement: "the discovery starts", outcome: .failed("it did not start"))
                ])
        }
        var checker = Checker("discovery", raya.facts.name, seed: seed)

        await checker.check("DISC-01", "what is published is found as it was, by the text that publishing gave") {
            dice async throws(Stop) in
            let carried = bundles.isEmpty ? [IntroductionBundle(scheme: "nobodys_1", bytes: dice.bytes(90))] : bundles
            let texts = try await publish(carried, as: "raya", by: raya)
            try expect(!texts.isEmpty, "publishing gave no text")
            var found: Set<Bytes> = []
            for text in texts {
                for introduction in try await find(text, by: saro, patience) {
                    found.formUnion(introduction.bundles.map(\.bytes))
                }
            }
            try expect(found == Set(carried.map(\.bytes)), "\(found.count) of \(carried.count) bundles were found")
        }
        await checker.check("DISC-01b", "schemes come through") { dice async throws(Stop) in
            let carried = bundles.isEmpty ? [IntroductionBundle(scheme: "nobodys_1", bytes: dice.bytes(90))] : bundles
            let texts = try await publish(carried, as: "schemes", by: raya)
            for text in texts {
                let schemes = Set(try await find(text, by: saro, patience).flatMap(\.bundles).map(\.scheme))
                try expect(schemes.isSubset(of: carried.map(\.scheme)) && !schemes.isEmpty, "schemes are \(schemes)")
            }
        }
        await checker.check("INTRO-01", "a text that is none of ours is refused with a typed error") {
            dice async throws(Stop) in
            for text in ["", " ", "no such thing \u{0}", String(repeating: "x", count: 100_000), "logos_", "日本"] {
                do {
                    var answers = try await saro.find(text).makeAsyncIterator()
                    let answer = try await answers.next()
                    try expect(answer?.isEmpty ?? true, "\(text.prefix(20)) found \(String(describing: answer))")
                } catch let stop as Stop {
                    throw stop
                } catch {}
            }
        }
        return checker.report
    }

    private static func publish(
        _ bundles: [IntroductionBundle], as name: String, by discovery: any DiscoveryProtocol
    ) async throws(Stop) -> [String] {
        do { return try await discovery.publish(bundles, as: name) } catch {
            throw .failed("publishing gave: \(error)")
        }
    }

    private static func find(
        _ text: String, by discovery: any DiscoveryProtocol, _ patience: Duration
    ) async throws(Stop) -> [Introduction] {
        let look = Task { () -> Result<[Introduction], DiscoveryError> in
            do throws(DiscoveryError) {
                var answers = try await discovery.find(text).makeAsyncIterator()
                return .success(try await answers.next() ?? [])
            } catch { return .failure(error) }
        }
        let timer = Task {
            try await Task.sleep(for: patience)
            look.cancel()
        }
        defer { timer.cancel() }
        switch await look.value {
        case .success(let found): return found
        case .failure(let error): throw .failed("finding \(text.prefix(40)) gave: \(error)")
        }
    }
}
