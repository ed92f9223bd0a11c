public import ChatModel

/// Checks that any implementation of a component must pass.
///
/// Each suite is one call and gives a ``Report``. It looks at an implementation as a client does,
/// through its protocol alone, so it works for components from outside as for ours.
public enum Conformance {
    /// How many hostile inputs each suite tries.
    public static let hostileInputs = 20_000
}

extension Conformance {
    /// Checks a framing strategy (FR-01 to FR-03, FW-04, DS-03, DS-07, FRAMING-8 to FRAMING-10, MODEL-1 to MODEL-5).
    ///
    /// - Parameters:
    ///   - make: gives a fresh framing that listens to nothing.
    ///   - seed: makes the run repeatable.
    ///   - only: the ids of the checks to run; all where nil.
    public static func check(
        framing make: () -> any FramingStrategy, seed: UInt64 = 1, only: Set<String>? = nil
    ) -> Report {
        var checker = Checker("framing", make().facts, seed: seed, only: only)
        let fixture = FramingFixture(make)
        checker.checkFacts()
        checkRoutes(make, fixture, &checker)
        checkWire(fixture, &checker)
        checkHostility(fixture, &checker)
        checkIdentifiers(make, &checker)
        return checker.report
    }

    private static func checkRoutes(
        _ make: () -> any FramingStrategy, _ fixture: FramingFixture, _ checker: inout Checker
    ) {
        checker.check("FR-01", "a payload of any size comes back as it was") { dice throws(Stop) in
            for size in [0, 1, 2, 127, 128, 1_000, 16_384, 60_000] {
                let payload = dice.bytes(size)
                try fixture.roundTrip(payload, fixture.routes[0], &dice)
            }
        }
        checker.check("FR-02", "the route decides which machine gets a payload") { dice throws(Stop) in
            for route in fixture.routes { try fixture.roundTrip(dice.bytes(40), route, &dice) }
        }
        checker.check("FW-04", "the same route on two addresses leads to two machines") { dice throws(Stop) in
            var framing = make()
            let other = Owner.conversation(ConversationID("ff"))
            framing.listen([Listening("one", fixture.routes[0].route)], for: .initialization)
            framing.listen([Listening("two", fixture.routes[0].route)], for: other)
            for (address, owner) in [("one", Owner.initialization), ("two", other)] {
                let routed = Routed(
                    DeliveryAddress(address), fixture.routes[0].route, payload: dice.bytes(9), sequence: 1)
                let found = try fixture.pass(routed, to: framing, &dice)
                try expect(found?.owner == owner, "\(address) led to \(String(describing: found?.owner))")
            }
        }
        checker.check("FR-02b", "what nobody listens to is foreign, not an error") { dice throws(Stop) in
            let routed = Routed("address", Route("0123456789abcdef"), payload: dice.bytes(40))
            try expect(try fixture.pass(routed, to: fixture.framing, &dice) == nil, "a stranger's route found an owner")
            var framing = fixture.framing
            for (route, owner) in fixture.routes {
                framing.listen([], for: owner)
                let routed = Routed("address", route, payload: dice.bytes(40))
                try expect(try fixture.pass(routed, to: framing, &dice) == nil, "\(owner) still listens")
            }
        }
        checker.check(
            "FR-02d", "a route of no byte, or of more than a route may have, is refused or comes through whole"
        ) { dice throws(Stop) in
            for size in [0, Route.maximumID, Route.maximumID + 1, 1_000] {
                let secret = Secret(copying: dice.bytes(32).span)
                let route = Route(String(repeating: "r", count: size), secret: secret)
                let owner = Owner.conversation(ConversationID("00"))
                var (framing, step) = (fixture.framing, dice.step(headRoom: fixture.framing.headRoom))
                framing.listen([Listening("address", route)], for: owner)
                let wrapped = try? framing.wrap(
                    Routed("address", route, payload: [1]), of: .initialization, random: &step.random)
                guard let wrapped else {
                    try expect(size == 0 || size > Route.maximumID, "a route of \(size) bytes is refused")
                    continue
                }
                let found = try fixture.unwrap(wrapped, framing)
                try expect(found?.owner == owner, "a route of \(size) bytes led to \(String(describing: found?.owner))")
            }
        }
        checker.check("FR-02c", "an owner that listens anew is found by its new route and not by its old one") {
            dice throws(Stop) in
            var framing = fixture.framing
            let (old, owner) = fixture.routes[1]
            let new = Route(String(repeating: "f", count: 32), secret: Secret(copying: dice.bytes(32).span))
            framing.listen([Listening("address", new)], for: owner)
            let found = try fixture.pass(Routed("address", new, payload: [1]), to: framing, &dice)
            try expect(found?.owner == owner, "the new route led to \(String(describing: found?.owner))")
            let stale = try fixture.pass(Routed("address", old, payload: [1]), to: framing, &dice)
            try expect(stale == nil, "the old route still has an owner")
        }
        checker.check("MODEL-1", "a copy is independent of the original") { dice throws(Stop) in
            var copy = fixture.framing
            for (_, owner) in fixture.routes { copy.listen([], for: owner) }
            try fixture.roundTrip(dice.bytes(5), fixture.routes[0], &dice)
        }
    }

    private static func checkWire(_ fixture: FramingFixture, _ checker: inout Checker) {
        checker.check("DS-03", "a payload that is said to fit into so many bytes does, wrapped") { dice throws(Stop) in
            for size in [0, 100, 5_000] {
                let bound = fixture.framing.maximumPayload(within: size + fixture.framing.headRoom)
                try expect(bound <= size + fixture.framing.headRoom, "maximumPayload is larger than its bound")
                try expect(bound > 0 || size < 5_000, "nothing fits into \(size) bytes")
                guard bound > 0 else { continue }
                let payload = dice.bytes(min(size, bound))
                for (route, _) in fixture.routes {
                    let wrapped = try fixture.wrap(Routed("address", route, payload: payload), &dice)
                    try expect(
                        wrapped.payload.count <= size + fixture.framing.headRoom,
                        "\(payload.count) bytes became \(wrapped.payload.count)")
                }
            }
        }
        checker.check("DS-07", "address and reply address pass through") { dice throws(Stop) in
            let routed = Routed("address", fixture.routes[0].route, payload: [1], replyAddress: "reply")
            let wrapped = try fixture.wrap(routed, &dice)
            try expect(wrapped.address == "address" && wrapped.replyAddress == "reply", "\(wrapped)")
        }
        checker.check("FR-03", "headers are carried, or refused as unsupported") { dice throws(Stop) in
            let header = Header("a", "b")
            let routed = Routed("address", fixture.routes[0].route, payload: [1], headers: [header])
            var framing = fixture.framing
            var step = dice.step()
            let wrapped: Addressed
            do throws(Refusal) { wrapped = try framing.wrap(routed, of: .initialization, random: &step.random) } catch {
                return try expect(error.outcome == .unsupported, "a header was refused as \(error)")
            }
            let found = try fixture.unwrap(wrapped, framing)
            try expect(found?.routed.headers == [header], "the header was dropped")
        }
    }

    private static func checkHostility(_ fixture: FramingFixture, _ checker: inout Checker) {
        checker.check("MODEL-4", "hostile bytes never trap: they are refused as invalid or unsupported, or are foreign")
        {
            dice throws(Stop) in
            let good = try fixture.wrap(Routed("address", fixture.routes[0].route, payload: dice.bytes(32)), &dice)
            for _ in 0..<hostileInputs {
                let bad = Addressed("address", payload: dice.hostile(like: good.payload))
                do throws(Refusal) { _ = try fixture.framing.unwrap(bad) } catch {
                    let isTold = error.outcome == .invalid || error.outcome == .unsupported
                    try expect(isTold, "\(bad.payload.array) is refused as \(error)")
                }
            }
            try fixture.roundTrip(dice.bytes(5), fixture.routes[0], &dice)
        }
        checker.check("MODEL-5", "a payload found is no longer than the bytes off the wire") { dice throws(Stop) in
            let good = try fixture.wrap(Routed("address", fixture.routes[0].route, payload: dice.bytes(32)), &dice)
            for _ in 0..<hostileInputs / 4 {
                let bad = Addressed("address", payload: dice.hostile(like: good.payload))
                guard case .payload(let routed, _)? = try? fixture.framing.unwrap(bad) else { continue }
                let (size, limit) = (routed.payload.count, bad.payload.count)
                try expect(size <= limit, "\(limit) bytes gave a payload of \(size)")
            }
        }
    }
}

/// A framing with several machines on one address.
private struct FramingFixture {
    let framing: any FramingStrategy
    let routes: [(route: Route, owner: Owner)]

    init(_ make: () -> any FramingStrategy) {
        let ids = ["a", String(repeating: "b", count: 32), String(repeating: "c", count: 128), "d", "e"]
        routes = ids.enumerated().map { index, id in
            let owner = index == 0 ? Owner.initialization : Owner.conversation(ConversationID(id))
            let secret = Secret(copying: [UInt8](repeating: UInt8(index), count: 32).span)
            return (Route(id, secret: secret), owner)
        }
        var framing = make()
        for (route, owner) in routes { framing.listen([Listening("address", route)], for: owner) }
        self.framing = framing
    }

    func wrap(_ routed: Routed, _ dice: inout Dice) throws(Stop) -> Addressed {
        var sender = framing
        var step = dice.step(headRoom: framing.headRoom)
        return try succeed("a payload") { () throws(Refusal) in
            try sender.wrap(routed, of: .initialization, random: &step.random)
        }
    }

    func unwrap(_ addressed: Addressed, _ framing: any FramingStrategy) throws(Stop) -> (routed: Routed, owner: Owner)?
    {
        let found = try succeed("our own payload") { () throws(Refusal) in try framing.unwrap(addressed) }
        guard case .payload(let routed, let owner) = found else { return nil }
        return (routed, owner)
    }

    func pass(
        _ routed: Routed, to framing: any FramingStrategy, _ dice: inout Dice
    ) throws(Stop) -> (routed: Routed, owner: Owner)? {
        try unwrap(try wrap(routed, &dice), framing)
    }

    func roundTrip(_ payload: Bytes, _ target: (route: Route, owner: Owner), _ dice: inout Dice) throws(Stop) {
        let found = try pass(Routed("address", target.route, payload: payload), to: framing, &dice)
        try expect(
            found?.owner == target.owner,
            "\(payload.count) bytes for \(target.owner) went to \(String(describing: found?.owner))")
        try expect(
            found?.routed.payload == payload, "\(payload.count) bytes came back as \(found?.routed.payload.count ?? 0)")
    }
}
