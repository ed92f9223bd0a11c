import ChatCodec
import ChatConversation
import ChatCrypto
import ChatInitialization
import ChatModel
import LogosFormats

extension FuzzTarget {
    /// An inbox that hands out bundles, gets invites, good and nearly good, is started again and grows old.
    static func invites() throws -> [FuzzTarget] {
        [
            invites { try InboxV1(identity: $0) },
            invites { try InboxV1(identity: $0, profile: .libchat) },
            invites { _ in OpenInvite() },
        ]
    }

    private static func invites(
        _ make: @escaping @Sendable (KeyPair) throws -> any InitializationProtocol
    ) -> FuzzTarget {
        let name =
            (try? make(
                KeyPair(secret: Secret(copying: [UInt8](repeating: 9, count: 32).span), publicKey: PublicKey([]))))
            .map(\.facts.name)
        return generated("invites-\(name ?? "")", inputs: 40) { choices, steps in
            var run = try InboxRun(make)
            for _ in 0..<min(steps, 32) where !choices.isOver { try run.step(&choices) }
        }
    }
}

/// An inbox, those who invite to it, and what it stored.
private struct InboxRun {
    private let make: @Sendable (KeyPair) throws -> any InitializationProtocol
    private let identity: KeyPair
    private var saro, raya: any InitializationProtocol
    private var now = Timestamp(milliseconds: 1_700_000_000_000)
    private var stored: [String: Record] = [:]
    private var bundles: [IntroductionBundle] = []
    private var payloads: [Payload] = []
    private var seed: UInt64 = 50

    init(_ make: @escaping @Sendable (KeyPair) throws -> any InitializationProtocol) throws {
        var random: any RandomSource = RepeatableRandom(seed: 11)
        let identities = (0..<2).map { _ in X25519.generate(using: &random, for: .secret) }
        (self.make, identity, saro, raya) = (make, identities[1], try make(identities[0]), try make(identities[1]))
    }

    mutating func step(_ choices: inout Choices) throws {
        seed += 1
        var step = Step(now: now, maximumPayload: 1 << 16, headRoom: 8, random: RepeatableRandom(seed: seed))
        switch choices.below(8) {
        case 0: bundles += (try? raya.introduce(choices.one(of: 1, 1, 2, 0, 65), in: &step)) ?? []
        case 1:
            now = now.later(choices.wait())
            raya.handle(.due, in: &step)
            saro.handle(.due, in: &step)
        case 2: try restart(&choices, in: &step)
        case 3, 4: try invite(&choices, in: &step)
        default: try receive(&choices, in: &step)
        }
        store()
    }

    private mutating func invite(_ choices: inout Choices, in step: inout Step) throws {
        guard let bundle = choices.one(of: bundles) else { return }
        let changed = IntroductionBundle(scheme: bundle.scheme, bytes: Bytes(bundle.bytes.array.changed(&choices)))
        let used = choices.isOne(of: 4) ? changed : bundle
        let contact = ContactID(self.seed)
        guard (try? saro.begin(PrivateV1.Libchat.type.name, with: used, as: contact, in: &step)) != nil else { return }
        let opening = Bytes(choices.bytes(choices.one(of: 0, 5, 40)))
        try? saro.invite(contact, opening: opening, for: nil, in: &step)
        payloads += step.sends.map(\.routed.payload)
    }

    private mutating func receive(_ choices: inout Choices, in step: inout Step) throws {
        guard let payload = choices.one(of: payloads), let place = raya.listening.first else { return }
        let routed = Routed(
            place.address, place.route, payload: choices.isOne(of: 2) ? payload : spoiled(payload, &choices))
        store()
        do throws(Refusal) {
            try raya.receive(routed, in: &step)
        } catch {
            try demand(step.isEmpty, "a refused invite left something in the step")
            try demand(raya.takeChanges().isEmpty, "a refused invite changed the state")
            return
        }
        try demand(step.seeds.count == 1, "an invite began \(step.seeds.count) conversations")
    }

    /// An invite of which the header, or what stands in clear, says something else.
    private func spoiled(_ payload: Payload, _ choices: inout Choices) -> Payload {
        guard choices.isOne(of: 2), case .inboxHandshake(var handshake)? = try? EncryptedPayload(decoding: payload)
        else {
            return Bytes(payload.array.changed(&choices))
        }
        handshake.payload = Bytes(handshake.payload.array.changed(&choices))
        if choices.isOne(of: 4) { handshake.header = nil }
        return EncryptedPayload.inboxHandshake(handshake).encoded()
    }

    private mutating func store() {
        for record in raya.takeChanges() { stored[record.key] = record.bytes == nil ? nil : record }
    }

    private mutating func restart(_ choices: inout Choices, in step: inout Step) throws {
        store()
        let records = stored.values.sorted { $0.key < $1.key }
        var other = try make(identity)
        try? other.restore(FuzzTarget.spoiled(records, &choices))
        other.handle(.restored, in: &step)
        _ = try? other.introduce(1, in: &step)
        raya = try make(identity)
        try raya.restore(records)
    }
}
