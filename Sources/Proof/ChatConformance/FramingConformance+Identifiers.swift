internal import ChatModel

// Properties over many payloads of a route: what a stranger sees of them, and whether all are found.
extension Conformance {
    static func checkIdentifiers(_ make: () -> any FramingStrategy, _ checker: inout Checker) {
        let isUnlinkable = checker.facts.claims(.unlinkability)
        checker.check("FRAMING-8", "payloads of one route have nothing in common, where unlinkability is claimed") {
            dice throws(Stop) in
            try applies(isUnlinkable, "it does not claim unlinkability")
            for sequences in [0...0, 1...24] as [ClosedRange<UInt64>] {
                var routes: [[Bytes]] = []
                for _ in 0..<4 {
                    var lane = FramingLane(make(), &dice)
                    var wrapped: [Bytes] = []
                    for turn in 0..<24 {
                        if turn == 12, sequences.upperBound > 0 { lane.replaceSecret(&dice) }
                        let sequence = sequences.upperBound == 0 ? 0 : UInt64(turn + 1)
                        wrapped.append(try lane.wrap(dice.bytes(64), sequence, &dice).payload)
                    }
                    routes.append(wrapped)
                }
                try expectUnlinkable(routes)
            }
        }
        checker.check("FRAMING-9", "it says that it can tell more only if it can") { dice throws(Stop) in
            for crowd in [0, 40] { try follow(make(), crowd, &dice) { said, isMore in !said || isMore } }
        }
        checker.check("FRAMING-9b", "it says so whenever it can tell more") { dice throws(Stop) in
            for crowd in [0, 40] { try follow(make(), crowd, &dice) { said, isMore in said || !isMore } }
        }
        checkWays(make, &checker)
    }

    /// Accepts payloads in order and compares what the framing says with what it finds before and after.
    private static func follow(
        _ framing: any FramingStrategy, _ crowd: Int, _ dice: inout Dice,
        _ isRight: (_ said: Bool, _ isMore: Bool) -> Bool
    ) throws(Stop) {
        var lane = FramingLane(framing, among: crowd, &dice)
        lane.listen()
        var all: [Addressed] = []
        for sequence in UInt64(1)...120 { all.append(try lane.wrap(dice.bytes(8), sequence, &dice)) }
        for sequence in 1...40 {
            let before = try lane.found(of: all)
            guard let routed = try lane.find(all[sequence - 1]) else {
                throw .failed("payload \(sequence), in order, is foreign")
            }
            let said = lane.accept(routed)
            let isMore = !(try lane.found(of: all).isSubset(of: before))
            let what = isMore ? "more" : "no more"
            try expect(isRight(said, isMore), "accepted says \(said) after payload \(sequence), and it finds \(what)")
        }
    }

    private static func checkWays(_ make: () -> any FramingStrategy, _ checker: inout Checker) {
        checker.check("FRAMING-10", "payloads are found in order, out of order and after losses, the next ones too") {
            dice throws(Stop) in
            for (crowd, lost) in [(0, 0), (0, 5), (0, 300), (40, 0), (40, 5), (40, 40), (40, 300)] {
                var lane = FramingLane(make(), among: crowd, &dice)
                lane.listen()
                try lane.pass(1...100, &dice)
                // Whatever the loss, some payload after it is recognized, and all that came before it are found then.
                let start = UInt64(101 + lost)
                try lane.pass(start...start + UInt64(16 * lost + 40), shuffledBy: 8, &dice)
                try expect(lane.waiting.isEmpty, "\(lane.waiting.count) are foreign for ever after a loss of \(lost)")
            }
        }
        checker.check("FRAMING-10b", "a new secret is known from its first payload on, the old one for late ones") {
            dice throws(Stop) in
            var lane = FramingLane(make(), among: 40, &dice)
            lane.listen()
            try lane.pass(1...10, &dice)
            let late = try lane.wrap(dice.bytes(8), 11, &dice)
            for round in UInt64(0)..<4 {
                let old = lane.route
                lane.replaceSecret(&dice)
                lane.listen(old: old)
                let first = 12 + 20 * round
                try lane.pass(first...first + 19, &dice)
                guard round == 0 else { continue }
                try expect(try lane.find(late) != nil, "a late payload under the old secret is foreign")
            }
            try expect(lane.waiting.isEmpty, "\(lane.waiting.count) payloads are foreign under a new secret")
        }
        checker.check("FRAMING-10c", "payloads are found by the stated windows alone, as after a restart") {
            dice throws(Stop) in
            var lane = FramingLane(make(), among: 40, &dice)
            lane.window = SequenceWindow(lowestWanted: 990, highestSeen: 1_000)
            lane.listen()
            for sequence in [990, 995, 1_000, 1_001] as [UInt64] {
                let found = try lane.find(try lane.wrap(dice.bytes(8), sequence, &dice))
                try expect(found != nil, "payload \(sequence) is foreign, 990 to 1000 are wanted")
            }
            try lane.pass(1_001...1_100, &dice)
            try expect(lane.waiting.isEmpty, "\(lane.waiting.count) payloads are foreign after a restart")
        }
    }

    /// Compares payloads of one route with each other, and with those of others: what is in all of them tells nothing.
    private static func expectUnlinkable(_ routes: [[Bytes]]) throws(Stop) {
        let length = 8
        var seen: [[UInt8]: Set<Int>] = [:]
        var repeated: [[UInt8]: Int] = [:]
        for (route, payloads) in routes.enumerated() {
            for payload in payloads {
                let bytes = payload.array
                let pieces = Set((0...max(0, bytes.count - length)).map { Array(bytes[$0...].prefix(length)) })
                for piece in pieces {
                    if seen[piece, default: []].contains(route) { repeated[piece] = route }
                    seen[piece, default: []].insert(route)
                }
            }
        }
        for (piece, route) in repeated where seen[piece]?.count == 1 {
            throw .failed("two payloads of route \(route) have \(piece) in common, those of others do not")
        }
        let shortest = routes.joined().map(\.count).min() ?? 0
        for offset in 0..<shortest {
            let values = routes.map { route in Set(route.map { $0[offset] }) }
            let isConstant = values.contains { $0.count == 1 } && Set(values.joined()).count > 1
            try expect(!isConstant, "byte \(offset) is the same in all payloads of a route and not in those of others")
        }
    }
}

/// One route from a sender to a recipient, each with a framing of its own.
struct FramingLane {
    private var sender: any FramingStrategy
    private var recipient: any FramingStrategy
    private let owner = Owner.conversation(ConversationID("recipient"))
    private(set) var route: Route
    /// The window that the recipient's machine states.
    var window = SequenceWindow(lowestWanted: 1)
    /// Payloads that were foreign when they came, and were not found since.
    private(set) var waiting: [Addressed] = []

    /// - Parameter others: how many other routes the recipient listens for on the address: a framing may do with a
    ///   few what it cannot do with many.
    init(_ framing: any FramingStrategy, among others: Int = 0, _ dice: inout Dice) {
        (sender, recipient) = (framing, framing)
        for number in 0..<others {
            let route = Route("other \(number)", secret: Secret(copying: dice.bytes(32).span))
            recipient.listen(
                [Listening("address", route, window: window)], for: .conversation(ConversationID("\(number)")))
        }
        let id = dice.bytes(16).array.reduce("") { $0 + String($1, radix: 16) }
        route = Route(id, secret: Secret(copying: dice.bytes(32).span))
    }

    /// The sender uses a new secret from now on.
    mutating func replaceSecret(_ dice: inout Dice) {
        route = Route(route.id, secret: Secret(copying: dice.bytes(32).span))
    }

    /// The recipient listens, under an old secret too while that may still be used.
    mutating func listen(old: Route? = nil) {
        let routes = [old, route].compactMap(\.self)
        recipient.listen(routes.map { Listening("address", $0, window: window) }, for: owner)
    }

    mutating func wrap(_ payload: Bytes, _ sequence: UInt64, _ dice: inout Dice) throws(Stop) -> Addressed {
        var random: any RandomSource = Dice(seed: dice.next())
        let routed = Routed("address", route, payload: payload, sequence: sequence)
        return try succeed("payload \(sequence)") { () throws(Refusal) in
            try sender.wrap(routed, of: .conversation(ConversationID("sender")), random: &random)
        }
    }

    /// The payload as the recipient finds it, or nil for a foreign one.
    func find(_ addressed: Addressed) throws(Stop) -> Routed? {
        let found = try succeed("our own payload") { () throws(Refusal) in try recipient.unwrap(addressed) }
        guard case .payload(let routed, let owner) = found else { return nil }
        try expect(owner == self.owner, "a payload is taken for one of \(owner)")
        return routed
    }

    /// Which of some payloads are found now.
    func found(of all: [Addressed]) throws(Stop) -> Set<Int> {
        var found: Set<Int> = []
        for index in all.indices where try find(all[index]) != nil { found.insert(index) }
        return found
    }

    mutating func accept(_ routed: Routed) -> Bool {
        // As a machine does: a window that moved is stated when something else changes.
        if routed.sequence > 0 {
            window = SequenceWindow(
                lowestWanted: window.lowestWanted, highestSeen: max(routed.sequence, window.highestSeen ?? 0))
        }
        return recipient.accepted(routed, for: owner)
    }

    /// Sends payloads and offers them, the foreign ones again whenever the framing can tell more, as a client does.
    mutating func pass(_ sequences: ClosedRange<UInt64>, shuffledBy distance: Int = 0, _ dice: inout Dice) throws(Stop)
    {
        var all: [Addressed] = []
        for sequence in sequences { all.append(try wrap(dice.bytes(8), sequence, &dice)) }
        for index in all.indices where distance > 0 {
            all.swapAt(index, min(all.count - 1, index + Int.random(in: 0..<distance, using: &dice)))
        }
        for addressed in all {
            guard let routed = try find(addressed) else {
                waiting.append(addressed)
                continue
            }
            if accept(routed) { try offerAgain() }
        }
    }

    private mutating func offerAgain() throws(Stop) {
        var isMore = true
        while isMore {
            isMore = false
            for addressed in waiting {
                guard let routed = try find(addressed) else { continue }
                waiting.removeAll { $0.payload == addressed.payload }
                isMore = accept(routed) || isMore
            }
        }
    }
}
