public import ChatClient
internal import ChatCodec
internal import ChatCrypto
internal import ChatDeliveryService
public import ChatModel
public import ChatVariants

/// One participant behind the interoperability shim `logos-interop-shim/1`.
///
/// A driver owns the network, the clock and all mischief; this owns nothing but the protocol state:
/// a core without I/O. Requests and answers are JSON objects, a line each; a request that fails
/// changes nothing, and nothing that is sent here ends the shim but `shutdown`.
public struct Shim {
    /// The composition; the delivery service in it is not used.
    let suite: SuiteName
    /// Components from outside that the composition may name.
    let additions: Variants.Additions
    /// Makes the source of randomness of a participant, another one for each of its runs.
    let random: @Sendable (_ run: UInt64) -> any RandomSource
    var participant: Participant?
    /// Whether the driver asked for the end.
    public private(set) var isShutDown = false

    /// A participant: a composition, its core, and what the driver has not taken yet.
    struct Participant {
        let suite: ChatSuite
        let identity: KeyPair
        var core: ChatCore
        /// Counts restarts, so that a seeded participant never draws a value twice.
        let run: UInt64
        /// Everything stored: what `save` gives.
        var records: [String: Bytes] = [:]
    }

    /// The longest line in bytes: content of several MiB in hex fits.
    public static let maximumLine = 64 << 20
    /// The largest payload in bytes; the shim has no delivery service that could limit it.
    static let maximumPayload = 16 << 20
    /// The composition that `libchat` speaks.
    public static let libchat = SuiteName(
        discovery: "links", initialization: "inbox-v1-libchat", conversations: ["private-v1-libchat"],
        delivery: "memory", framing: "envelope-v1-libchat")

    /// The composition that follows the documents.
    public static let reference = SuiteName(
        discovery: "links", initialization: "inbox-v1", conversations: ["private-v1"], delivery: "memory",
        framing: "envelope-v1")

    /// A shim without a participant yet.
    public init(
        _ suite: SuiteName = Shim.libchat, adding additions: @escaping Variants.Additions = { _, _ in },
        random: @escaping @Sendable (_ run: UInt64) -> any RandomSource
    ) {
        (self.suite, self.additions, self.random) = (suite, additions, random)
    }

    /// Answers one line.
    public mutating func answer(_ line: [UInt8]) async -> String {
        var id = JSON.null
        do throws(ShimError) {
            guard line.count <= Self.maximumLine else {
                throw .badRequest("a line has \(line.count) bytes; at most \(Self.maximumLine) allowed")
            }
            let request = try Self.parse(line)
            guard request.members != nil, let number = request["id"], number.isInteger else {
                throw .badRequest("a request is an object with an integer id")
            }
            guard let name = request["op"]?.text else { throw .badRequest("op is missing or no text") }
            id = number
            guard let operation = Operation(rawValue: name) else { throw ShimError("unknown_op", "no op \(name)") }
            var answer = JSON.Object()
            answer["id"] = id
            answer["ok"] = true
            for field in try await carryOut(operation, Fields(request)) { answer[field.key] = field.value }
            return JSON.object(answer).description
        } catch {
            let reason: JSON = ["code": .string(error.code), "message": .string(error.message)]
            let answer: JSON = ["id": id, "ok": false, "error": reason]
            return answer.description
        }
    }

    private static func parse(_ line: [UInt8]) throws(ShimError) -> JSON {
        do throws(WireError) { return try JSON(parsing: line, maximumBytes: maximumLine) } catch {
            throw .badRequest("\(error)")
        }
    }

    mutating func shutDown() { isShutDown = true }

    static func identity(_ secret: Secret) throws(ShimError) -> KeyPair {
        do throws(CryptoError) { return try X25519.keyPair(secret) } catch {
            throw ShimError(error.code, error.description)
        }
    }

    /// The composition of the shim for one identity.
    func makeSuite(_ identity: KeyPair) async throws(ShimError) -> ChatSuite {
        let limits = DeliveryLimits(maximumPayload: Self.maximumPayload)
        let variants = Variants(identity: identity, memory: InMemoryDeliveryService(limits: limits), adding: additions)
        do { return try await variants.registry.suite(suite) } catch { throw ShimError("unsupported", "\(error)") }
    }

    static func makeCore(
        _ suite: ChatSuite, _ random: any RandomSource, _ records: [Record], _ now: Timestamp
    ) throws(ShimError) -> ChatCore {
        do throws(Refusal) {
            return try ChatCore(
                suite.initialization, conversations: suite.conversations, framing: suite.framing,
                delivery: DeliveryLimits(maximumPayload: maximumPayload), random: random, restoring: records, now: now)
        } catch { throw ShimError(error) }
    }
}

extension JSON {
    fileprivate var isInteger: Bool {
        switch self {
        case .integer, .unsigned: true
        default: false
        }
    }
}
