internal import ChatClient
internal import ChatCodec
internal import ChatConversation
internal import ChatCrypto
internal import ChatModel

// What a driver may ask.
extension Shim {
    enum Operation: String, CaseIterable {
        case hello
        case createIdentity = "create_identity"
        case setTime = "set_time"
        case createIntro = "create_intro"
        case initiate
        case sendContent = "send_content"
        case takeOutbound = "take_outbound"
        case receivePayload = "receive_payload"
        case takeEvents = "take_events"
        case listConversations = "list_conversations"
        case save
        case restore
        case shutdown
    }

    mutating func carryOut(_ operation: Operation, _ fields: Fields) async throws(ShimError) -> [JSON.Member] {
        let answer: JSON
        switch operation {
        case .hello: answer = hello
        case .createIdentity: answer = try await createIdentity(fields)
        case .restore: answer = try await restore(fields)
        case .shutdown:
            shutDown()
            answer = [:]
        case .save: answer = ["state": .string(Hex.encode(Array(try state().utf8)))]
        default:
            guard var participant else { throw .noIdentity }
            answer = try await participant.carryOut(operation, fields)
            self.participant = participant
        }
        return answer.members ?? []
    }

    private var hello: JSON {
        [
            "protocol": "logos-interop-shim/1", "implementation": "chat-framework (Swift)",
            "profiles": [.string(profile)], "suite": .string(suite.description),
            "max_skip": JSON(parameters.maximumSkip), "reliable": .bool(!Self.lossyTypes.contains(type)),
            "ops": .array(Operation.allCases.map { .string($0.rawValue) }),
        ]
    }

    private var type: String { suite.conversations.first ?? "" }
    private var parameters: DoubleRatchet.Parameters { type == PrivateV1.Libchat.facts.name ? .libchat : .reference }
    /// Types that send nothing again.
    private static let lossyTypes = [
        PrivateV1.Libchat.facts.name, PrivateV1.Ratchet.facts.name, PlainConversation.facts.name,
    ]

    /// What this composition is called where only profiles are known.
    private var profile: String {
        suite == Self.libchat ? "libchat" : suite == Self.reference ? "reference" : suite.description
    }

    private mutating func createIdentity(_ fields: Fields) async throws(ShimError) -> JSON {
        if let wanted = try fields.optionalText("profile"), wanted != profile {
            throw ShimError("unsupported", "this shim speaks \(profile), not \(wanted)")
        }
        var random = random(0)
        let secret: Secret
        if let bytes = try fields.optionalBytes("identity_private") {
            guard bytes.count == 32 else {
                throw .badRequest("identity_private has \(bytes.count) bytes instead of 32")
            }
            secret = Secret(copying: bytes.span)
        } else {
            secret = random.secret(32, for: .identityPrivate)
        }
        let identity = try Self.identity(secret)
        let suite = try await makeSuite(identity)
        let core = try Self.makeCore(suite, random, [], try fields.time("now_ms") ?? Timestamp.zero)
        var participant = Participant(suite: suite, identity: identity, core: core, run: 0)
        participant.store()
        self.participant = participant
        return participant.about
    }
}

extension Shim.Participant {
    /// What `create_identity` and `restore` answer.
    var about: JSON {
        var object = JSON.Object()
        object["installation_key"] = .string(identity.publicKey.description)
        object["inbox_id"] = .string(core.inboxes.first?.route.id ?? "")
        object["delivery_addresses"] = .array(core.wanted.keys.map(\.text).sorted().map { .string($0) })
        return .object(object)
    }

    /// Keeps what changed, as a client's storage would.
    mutating func store() {
        for record in core.takeRecords() { records[record.key] = record.bytes }
    }

    mutating func carryOut(_ operation: Shim.Operation, _ fields: Fields) async throws(ShimError) -> JSON {
        let before = self
        do throws(ShimError) {
            let answer = try await perform(operation, fields)
            store()
            return answer
        } catch {
            self = before
            throw error
        }
    }

    private mutating func perform(_ operation: Shim.Operation, _ fields: Fields) async throws(ShimError) -> JSON {
        switch operation {
        case .setTime:
            guard let now = try fields.time("now_ms") else { throw .badRequest("now_ms is missing") }
            core.wake(now: now)
            return [:]
        case .createIntro: return ["intro": .string(try await createIntro())]
        case .initiate: return ["conversation_id": .string(try await initiate(fields).text)]
        case .sendContent:
            let id = ConversationID(try fields.text("conversation_id"))
            let content = Bytes(try fields.bytes("content"))
            _ = try attempt { core throws(Refusal) in try core.send(content, in: id, now: core.now) }
            return [:]
        case .takeOutbound: return ["payloads": .array(takeOutbound())]
        case .receivePayload: return try receive(fields)
        case .takeEvents: return ["events": .array(takeEvents())]
        case .listConversations:
            return ["conversations": .array(core.conversations.map { .string($0.id.text) })]
        case .hello, .createIdentity, .restore, .save, .shutdown: return [:]  // carried out by the shim itself
        }
    }

    private mutating func attempt<Value>(
        _ step: (inout ChatCore) throws(Refusal) -> Value
    ) throws(ShimError) -> Value {
        do throws(Refusal) { return try step(&core) } catch { throw ShimError(error) }
    }

    private mutating func createIntro() async throws(ShimError) -> String {
        let bundles = try attempt { core throws(Refusal) in try core.introduce(1, now: core.now) }
        do throws(DiscoveryError) {
            guard let text = try await suite.discovery.publish(bundles, as: "").first else {
                throw DiscoveryError.notFound("")
            }
            return text
        } catch { throw ShimError(error) }
    }

    private mutating func initiate(_ fields: Fields) async throws(ShimError) -> ConversationID {
        let text = try fields.text("intro")
        let content = Bytes(try fields.bytes("content"))
        let bundle: IntroductionBundle?
        do throws(DiscoveryError) {
            var answers = try await suite.discovery.find(text).makeAsyncIterator()
            bundle = try await answers.next()?.first?.bundles.first
        } catch { throw ShimError(error) }
        guard let bundle else { throw ShimError("malformed", "nobody is introduced by this text") }
        let type = suite.conversations[0].name
        return try attempt { core throws(Refusal) in
            try core.begin(type, with: bundle, saying: content, now: core.now).0
        }
    }

    private mutating func takeOutbound() -> [JSON] {
        var taken: [JSON] = []
        while true {
            let payloads = core.takeOutbox(now: Timestamp(milliseconds: .max))
            guard !payloads.isEmpty else { return taken }
            core.settle(payloads, payloads.map { _ in .success(Receipt()) }, now: core.now)
            taken += payloads.map { payload in
                [
                    "address": .string(payload.addressed.address.text),
                    "payload": .string(Hex.encode(payload.addressed.payload.array)),
                ]
            }
        }
    }

    private mutating func receive(_ fields: Fields) throws(ShimError) -> JSON {
        let address = DeliveryAddress(try fields.text("address"))
        let addressed = Addressed(address, payload: Bytes(try fields.bytes("payload")))
        switch core.offer(addressed, now: core.now) {
        case .accepted: return ["outcome": "accepted"]
        case .foreign, .idle: return ["outcome": "ignored"]
        case .refused(let refusal, _), .early(let refusal, _):
            return [
                "outcome": "rejected", "code": .string(refusal.cause.code), "message": .string(refusal.description),
            ]
        }
    }

    private mutating func takeEvents() -> [JSON] {
        store()
        var taken: [JSON] = []
        while let batch = core.nextBatch {
            taken += batch.events.compactMap(Self.json)
            core.confirm(batchesUpTo: batch.number)
        }
        return taken
    }

    private static func json(_ event: ClientEvent) -> JSON? {
        switch event {
        case .began(let id, _, .responder, let peers):
            [
                "type": "conversation_started", "conversation_id": .string(id.text),
                "remote_installation_key": .string(peers.first?.description ?? ""),
            ]
        case .conversation(let id, .content(let received)):
            [
                "type": "content", "conversation_id": .string(id.text),
                "content": .string(Hex.encode(received.content.array)),
            ]
        default: nil
        }
    }
}

extension RandomLabel {
    /// The X25519 private key of a new installation.
    fileprivate static let identityPrivate = RandomLabel(rawValue: "identity_private")
}
