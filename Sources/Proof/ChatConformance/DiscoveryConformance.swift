public import ChatModel

extension Conformance {
    /// Checks a discovery (DISC-01, DISC-02, INTRO-01 to INTRO-08 as far as they are visible from outside).
    ///
    /// - Parameters:
    ///   - make: gives a client's end of the discovery.
    ///   - bundles: bundles that the discovery is to carry; ones of a scheme of nobody's if empty.
    ///   - patience: how long finding may take.
    ///   - seed: makes the run repeatable.
    ///   - only: the ids of the checks to run; all where nil.
    public static func check(
        discovery make: (Int) async throws -> any DiscoveryProtocol, carrying bundles: [IntroductionBundle] = [],
        patience: Duration = .seconds(10), seed: UInt64 = 1, only: Set<String>? = nil
    ) async -> Report {
        let (raya, saro): (any DiscoveryProtocol, any DiscoveryProtocol)
        do {
            (raya, saro) = (try await make(0), try await make(1))
        } catch {
            let result = Report.Result(id: "DISC-01", requirement: "the discovery starts", outcome: .failed("\(error)"))
            return Report(component: "discovery", name: "?", seed: seed, results: [result])
        }
        var checker = Checker("discovery", raya.facts, seed: seed, only: only)
        checker.checkFacts()
        let ends = DiscoveryEnds(raya: raya, saro: saro, bundles: bundles, patience: patience)
        await checkFinding(ends, &checker)
        await checkHostility(ends, &checker)
        return checker.report
    }

    private static func checkFinding(_ ends: DiscoveryEnds, _ checker: inout Checker) async {
        await checker.check("DISC-01", "what is published is found as it was, by the text that publishing gave") {
            dice async throws(Stop) in
            let carried = ends.carried(&dice)
            let texts = try await ends.publish(carried, as: "raya")
            try expect(!texts.isEmpty, "publishing gave no text")
            var found: Set<Bytes> = []
            for text in texts { found.formUnion(try await ends.find(text).flatMap(\.bundles).map(\.bytes)) }
            try expect(found == Set(carried.map(\.bytes)), "\(found.count) of \(carried.count) bundles were found")
        }
        await checker.check("DISC-01b", "the scheme of a bundle comes through") { dice async throws(Stop) in
            let carried = ends.carried(&dice)
            for text in try await ends.publish(carried, as: "schemes") {
                let schemes = Set(try await ends.find(text).flatMap(\.bundles).map(\.scheme))
                try expect(schemes.isSubset(of: carried.map(\.scheme)) && !schemes.isEmpty, "schemes are \(schemes)")
            }
        }
        await checker.check("DISC-01c", "one person's text does not find another") { dice async throws(Stop) in
            try applies(ends.bundles.isEmpty, "carries given bundles only")
            let (first, second) = (ends.carried(&dice), ends.carried(&dice))
            let texts = try await ends.publish(first, as: "one")
            _ = try await ends.publish(second, as: "two")
            for text in texts {
                let found = try await ends.find(text).flatMap(\.bundles).map(\.bytes)
                try expect(!found.contains(second[0].bytes), "the text of one found the bundle of two")
            }
        }
    }

    private static func checkHostility(_ ends: DiscoveryEnds, _ checker: inout Checker) async {
        await checker.check("INTRO-01", "a text that is none of ours is refused with a typed error") {
            _ async throws(Stop) in
            for text in ["", " ", "no such thing \u{0}", String(repeating: "x", count: 100_000), "logos_", "日本"] {
                guard case .success(let found) = await ends.look(text) else { continue }
                try expect(found.isEmpty, "'\(text.prefix(20))' found \(found)")
            }
        }
        await checker.check(
            "DISC-05", "a publisher's name may be any text: it is published or refused, and disturbs nobody"
        ) { dice async throws(Stop) in
            let carried = ends.carried(&dice)
            let texts = try await ends.publish(carried, as: "undisturbed")
            for name in [
                "", "a\nundisturbed", "a\tb", "../x", "\u{0}", "undisturbed ", String(repeating: "n", count: 5_000),
            ] {
                _ = try? await ends.saro.publish([ends.carried(&dice)[0]], as: name)
            }
            for text in texts {
                let found = try await ends.find(text).flatMap(\.bundles).map(\.bytes)
                try expect(Set(found).isSubset(of: carried.map(\.bytes)), "another bundle is found")
                try expect(!found.isEmpty, "nothing is found any more")
            }
        }
        await checker.check("MODEL-4", "hostile texts never trap, and good ones are found afterwards") {
            dice async throws(Stop) in
            let carried = ends.carried(&dice)
            let texts = try await ends.publish(carried, as: "hostile")
            for _ in 0..<hostileInputs / 100 {
                for text in texts.prefix(1) { _ = try? await ends.saro.find(dice.hostile(like: text)) }
            }
            for text in texts {
                try expect(!(try await ends.find(text).isEmpty), "nothing is found any more")
            }
        }
    }
}

/// Two clients' ends of one discovery.
private struct DiscoveryEnds {
    let raya: any DiscoveryProtocol
    let saro: any DiscoveryProtocol
    let bundles: [IntroductionBundle]
    let patience: Duration

    func carried(_ dice: inout Dice) -> [IntroductionBundle] {
        bundles.isEmpty ? [IntroductionBundle(scheme: "nobodys_1", bytes: dice.bytes(90))] : bundles
    }

    func publish(_ bundles: [IntroductionBundle], as name: String) async throws(Stop) -> [String] {
        do { return try await raya.publish(bundles, as: name) } catch { throw .failed("publishing gave: \(error)") }
    }

    /// The first answer, or none where patience ends before it.
    func look(_ text: String) async -> Result<[Introduction], DiscoveryError> {
        let look = Task { () -> Result<[Introduction], DiscoveryError> in
            do throws(DiscoveryError) {
                var answers = try await saro.find(text).makeAsyncIterator()
                return .success(try await answers.next() ?? [])
            } catch { return .failure(error) }
        }
        let timer = Task {
            try await Task.sleep(for: patience)
            look.cancel()
        }
        defer { timer.cancel() }
        return await look.value
    }

    func find(_ text: String) async throws(Stop) -> [Introduction] {
        switch await look(text) {
        case .success(let found): return found
        case .failure(let error): throw .failed("finding \(text.prefix(40)) gave: \(error)")
        }
    }
}
