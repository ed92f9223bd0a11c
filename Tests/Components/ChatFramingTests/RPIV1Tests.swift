import ChatModel
import TestSupport
import Testing

@testable import ChatFraming

private let address: DeliveryAddress = "a"

/// The same secret in every test that draws the same number.
private func secret(_ number: UInt64) -> Secret {
    var random: any RandomSource = SeededRandom(number)
    return random.secret(32, for: .secret)
}

private func route(_ number: UInt64 = 1, id: String = "convo-1") -> Route { Route(id, secret: secret(number)) }

private func listening(_ route: Route, _ window: SequenceWindow = SequenceWindow(lowestWanted: 1)) -> Listening {
    Listening(address, route, window: window)
}

extension RPIV1 {
    /// Wraps a payload of one byte.
    fileprivate func bytes(
        _ route: Route, _ sequence: UInt64, of owner: Owner = raya, salt: UInt64? = nil
    ) throws(Refusal) -> Addressed {
        var framing = self
        var random: any RandomSource = SeededRandom(salt ?? sequence)
        return try framing.wrap(
            Routed(address, route, payload: [UInt8(truncatingIfNeeded: sequence)], sequence: sequence), of: owner,
            random: &random)
    }

    /// Takes a payload as a client does; false where it is foreign.
    fileprivate mutating func take(_ addressed: Addressed, for owner: Owner = saro) throws -> Bool {
        guard case .payload(let routed, owner) = try unwrap(addressed) else { return false }
        _ = accepted(routed, for: owner)
        return true
    }
}

@Suite struct RPIV1Tests {
    @Test func `the worked example has these bytes (RPIV1-1 to RPIV1-4)`() throws {
        let code = try blocks(of: "rpi-v1.md")
        let route = Route("convo-1", secret: Secret(count: 32) { for index in $0.indices { $0[index] = 0x11 } })
        func wrap(_ route: Route, _ sequence: UInt64, of owner: Owner) throws -> [UInt8] {
            var (framing, random): (RPIV1, any RandomSource) = (RPIV1(), ScriptedRandom([(.salt, Array(0..<8))]))
            let routed = Routed(address, route, payload: Bytes("hello"), sequence: sequence)
            return try framing.wrap(routed, of: owner, random: &random).payload.array
        }
        #expect(try wrap(route, 1, of: raya) == example(code[1]))
        #expect(try wrap(route, 0, of: raya) == example(code[2]))
        #expect(try wrap(Route("convo-1"), 0, of: .initialization) == example(code[3]))
    }

    @Test func `an identifier is used up once its payload is authenticated, and not before (RPIV1-7)`() throws {
        var client = RPIV1().listening([listening(route())], for: saro)
        let payload = try client.bytes(route(), 1)
        for _ in 0..<3 {
            guard case .payload(let routed, saro) = try client.unwrap(payload) else {
                Issue.record("it is foreign")
                return
            }
            #expect(routed.sequence == 1 && routed.payload == [1] && routed.route == route())
        }
        #expect(try client.take(payload))
        #expect(try client.unwrap(payload) == .foreign)
    }

    @Test func `a conversation's route without a secret is refused, and both are named (RPIV1-5)`() throws {
        let error = FramingError.noSecret(of: "conversation raya", framing: "rpi-v1")
        #expect(throws: Refusal(.unsupported, error)) { try RPIV1().bytes(Route("r"), 1) }
        #expect("\(error)" == "conversation raya gives its route no secret, from which rpi-v1 derives identifiers")
        #expect(RPIV1().listening([listening(Route("r"))], for: saro).identifierCount == 0)
    }

    @Test func `first contact is found by its route, and looks different each time (RPIV1-4)`() throws {
        var client = RPIV1().listening([Listening(address, Route("inbox"))], for: .initialization)
        let first = try client.bytes(Route("inbox"), 0, of: .initialization, salt: 1)
        let second = try client.bytes(Route("inbox"), 0, of: .initialization, salt: 2)
        #expect(first.payload.slice(0..<16) != second.payload.slice(0..<16))
        for payload in [first, second, first] { #expect(try client.take(payload, for: .initialization)) }
        client.listen([], for: .initialization)
        #expect(try client.unwrap(first) == .foreign)
    }

    @Test func `old and new secret are known together, whichever comes first (RPIV1-12)`() throws {
        let (old, new, next) = (route(1), route(2), route(3))
        var client = RPIV1().listening([listening(old), listening(new)], for: saro)
        let payloads = try (UInt64(1)...20).map { try client.bytes($0 < 11 ? old : new, $0) }
        for sequence in [1, 2, 3, 5, 8, 10, 11, 13] { #expect(try client.take(payloads[sequence - 1])) }
        // 4, 6, 7 and 9 may come under the old secret, 12 under the new one; nothing after 11 under the old one.
        #expect(try client.unwrap(try client.bytes(old, 12)) == .foreign)
        for sequence in [4, 12, 6] { #expect(try client.take(payloads[sequence - 1])) }
        let window = SequenceWindow(lowestWanted: 7, highestSeen: 13)
        client.listen([listening(old, window), listening(new, window), listening(next, window)], for: saro)
        for sequence in [7, 9, 14, 15] { #expect(try client.take(payloads[sequence - 1])) }
        #expect(try client.take(try client.bytes(next, 16)))
    }

    @Test func `who listens to other routes keeps the windows of those that stay`() throws {
        let (one, two) = (route(1), route(2, id: "convo-2"))
        var client = RPIV1().listening([listening(one)], for: saro)
        let payloads = try (UInt64(1)...200).map { try client.bytes(one, $0) }
        for payload in payloads.prefix(150) { #expect(try client.take(payload)) }
        let count = client.identifierCount
        client.listen([listening(one), listening(two)], for: saro)
        #expect(client.identifierCount == count + 15)
        for payload in payloads.dropFirst(150) { #expect(try client.take(payload)) }
        client.listen([listening(two)], for: saro)
        #expect(client.identifierCount == 15)
        client.listen([], for: saro)
        #expect(client.identifierCount == 0)
    }

    @Test func `an identifier counts on its address alone (FRAMING-1)`() throws {
        let client = RPIV1().listening([listening(route())], for: saro)
        var payload = try client.bytes(route(), 1)
        payload.address = "b"
        #expect(try client.unwrap(payload) == .foreign)
    }

    @Test(arguments: 0..<16) func `less than an identifier is invalid, with numbers (RPIV1-6)`(size: Int) {
        let error = FramingError.truncated(needed: 16 - size, at: size)
        #expect(throws: Refusal(.invalid, error)) { try RPIV1().unwrap([UInt8](repeating: 7, count: size)) }
    }

    @Test(arguments: 1...(Seeds.isQuick ? 2 : 20))
    func `over losses, reordering, new secrets and restarts every payload that comes is found`(seed: UInt64) throws {
        var (dice, client) = (SplitMix64(seed: seed), RPIV1())
        var (routes, sent, highest) = ([route(seed << 8)], UInt64(0), UInt64(0))
        var (waiting, taken): ([(UInt64, Addressed)], Set<UInt64>) = ([], [])
        func listen(_ client: inout RPIV1) {
            let lowest = (1...highest + 1).first { !taken.contains($0) } ?? highest + 1
            let window = SequenceWindow(lowestWanted: lowest, highestSeen: highest == 0 ? nil : highest)
            client.listen(routes.suffix(3).map { listening($0, window) }, for: saro)
        }
        listen(&client)
        for step in 0..<600 {
            switch dice.below(20) {
            case 0:
                // The recipient listens to a new secret, and the sender uses it from now on.
                routes.append(route(seed << 8 + UInt64(routes.count)))
                listen(&client)
            case 1:
                client = RPIV1()
                listen(&client)
            case 2: sent += UInt64(dice.below(30))
            default:
                sent += 1
                waiting.append((sent, try client.bytes(routes[routes.count - 1], sent)))
            }
            guard step % 4 == 0 || step == 599 else { continue }
            waiting.shuffle(using: &dice)
            var isMore = true
            while isMore {
                isMore = false
                for (sequence, payload) in waiting {
                    guard case .payload(let routed, saro) = try client.unwrap(payload) else { continue }
                    #expect(routed.sequence == sequence && taken.insert(sequence).inserted)
                    highest = max(highest, sequence)
                    isMore = client.accepted(routed, for: saro) || isMore
                    waiting.removeAll { $0.0 == sequence }
                }
            }
            // Who waits too long under a secret that is given up, as a machine gives it up, is lost.
            if routes.count > 3 { waiting.removeAll { $0.0 + 100 < sent } }
        }
        #expect(waiting.count < 60, "\(waiting.count) of \(sent) were never found")
    }

    @Test func `a quiet route has fifteen identifiers, and one look-up finds a payload among 20,000 routes (RPIV1-8)`()
        throws
    {
        var client = RPIV1()
        let shared = secret(1)
        for number in 0..<20_000 {
            let owner = Owner.conversation(ConversationID("\(number)"))
            client.listen([listening(Route("\(number)", secret: shared))], for: owner)
        }
        #expect(client.identifierCount == 20_000 * 15)
        let payload = try client.bytes(Route("777", secret: shared), 1)
        guard case .payload(_, let owner) = try client.unwrap(payload) else {
            Issue.record("it is foreign")
            return
        }
        #expect(owner == .conversation(ConversationID("777")))
    }
}
