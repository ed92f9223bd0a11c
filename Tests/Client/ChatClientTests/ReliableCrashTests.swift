import ChatCodec
import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import ChatStorage
import LogosFormats
import StorageTestSupport
import TestSupport
import Testing

@testable import ChatClient

/// A service that keeps everything, and sees whether a message key was used twice.
private final class KeepingService {
    private(set) var payloads: [Addressed] = []
    private var sealed: [Bytes: Bytes] = [:]

    func publish(_ payload: Addressed) {
        payloads.append(payload)
        guard let envelope = try? EnvelopeV1().unwrapped(payload),
            case .doubleRatchet(let message) = try? EncryptedPayload(decoding: envelope)
        else { return }
        let header = Bytes(message.dh.array + message.number.description.utf8)
        let before = sealed.updateValue(message.ciphertext, forKey: header)
        #expect(before == nil || before == message.ciphertext, "a message key was used twice")
    }

    /// What an address has behind a place, each with its own.
    func payloads(on address: DeliveryAddress, since: Since) -> [Delivery] {
        var start = 0
        if case .after(let cursor) = since { start = Int(cursor.bytes.array.reduce(0) { $0 << 8 | UInt($1) }) }
        return payloads.enumerated().filter { $0.offset >= start && $0.element.address == address }.map {
            place, payload in
            let next = UInt16(place + 1)
            return Delivery(payload, cursor: Cursor([UInt8(next >> 8), UInt8(truncatingIfNeeded: next)]))
        }
    }
}

extension EnvelopeV1 {
    /// The payload in an envelope, whoever it is for.
    fileprivate func unwrapped(_ addressed: Addressed) throws -> Payload {
        var reader = ProtoReader(addressed.payload.span)
        while let field = try reader.next() {
            if field == 5 { return addressed.payload.slice(try reader.range()) }
        }
        return []
    }
}

/// A client on files that may crash, driven by hand: what it does is stored before it leaves.
private struct DurablePeer {
    private let bench = StorageBench()
    private let identity: KeyPair
    private let type: any ConversationProtocol
    private let service: KeepingService
    private var storage: DirectoryStorage?
    private var core: ChatCore?
    private var runs: UInt64 = 0
    /// What the application keeps for itself: which batches it has seen, and what was in them.
    private var seenBatch: UInt64 = 0
    private(set) var heard: [String] = []
    private(set) var statuses: [ContentID: ContentStatus] = [:]
    /// Contents that were accepted, and those of which a crash left that open.
    private(set) var accepted: [String] = []
    private(set) var open: [String] = []
    private(set) var crashes = 0
    private let loss: FaultyFiles.Loss

    init(_ number: UInt8, _ type: any ConversationProtocol, _ service: KeepingService, _ loss: FaultyFiles.Loss)
        throws
    {
        identity = try X25519.keyPair(Secret(count: 32) { $0[1] = number })
        (self.type, self.service, self.loss) = (type, service, loss)
    }

    var operations: Int { bench.files.operations }
    var conversation: ConversationID? { core?.conversations.first?.id }

    func crash(at operation: Int?) {
        if let operation { bench.files.plan(.crashes, at: operation) }
    }

    /// Opens the storage and takes up what is in it; a crash on the way is one more.
    private mutating func start(_ now: Timestamp) throws {
        while core == nil {
            runs += 1
            do {
                let storage = try bench.open()
                core = try ChatCore(
                    InboxV1(identity: identity), conversations: [type], framing: EnvelopeV1(),
                    delivery: DeliveryLimits(maximumPayload: 2_000),
                    random: SeededRandom(UInt64(identity.publicKey.bytes[0]) << 32 | runs),
                    restoring: storage.load(), now: now)
                self.storage = storage
                try commit()
            } catch is StorageError {
                stop()
            }
        }
    }

    private mutating func stop() {
        (core, storage) = (nil, nil)
        crashes += 1
        bench.files.restart(losing: loss, seed: runs)
    }

    private mutating func commit() throws(StorageError) {
        guard let records = core?.takeRecords(), !records.isEmpty else { return }
        try storage?.commit(records)
    }

    /// One step and everything that follows from it; false if the process ended on the way.
    mutating func step(_ now: Timestamp, _ body: (inout ChatCore) throws -> Void) throws -> Bool {
        try start(now)
        guard var running = core else { return false }
        core = nil
        try body(&running)
        core = running
        do throws(StorageError) {
            try commit()
            try publish(now)
            try show()
            return true
        } catch {
            stop()
            return false
        }
    }

    private mutating func publish(_ now: Timestamp) throws(StorageError) {
        while let payloads = core?.takeOutbox(now: now), !payloads.isEmpty {
            for payload in payloads { service.publish(payload.addressed) }
            core?.settle(payloads, payloads.map { _ in .success(Receipt()) }, now: now)
            try commit()
        }
    }

    private mutating func show() throws(StorageError) {
        while let batch = core?.nextBatch {
            if batch.number > seenBatch {
                seenBatch = batch.number
                for event in batch.events {
                    switch event {
                    case .conversation(_, .content(let received)):
                        heard.append(String(decoding: received.content.array.prefix(20), as: UTF8.self))
                    case .conversation(_, .status(let id, let status)): statuses[id] = status
                    default: continue
                    }
                }
            }
            core?.confirm(batchesUpTo: batch.number)
            try commit()
        }
    }

    mutating func send(_ text: String, size: Int, _ now: Timestamp) throws {
        let content = Array(text.utf8) + [UInt8](repeating: 0x20, count: max(0, size - text.utf8.count))
        let isDone = try step(now) { core in
            guard let id = core.conversations.first?.id else { return }
            _ = try core.send(Bytes(content), in: id, now: now)
        }
        let name = String(decoding: content.prefix(20), as: UTF8.self)
        if isDone { accepted.append(name) } else { open.append(name) }
    }

    /// Time passes, and what the service has is received.
    mutating func live(_ now: Timestamp) throws {
        let service = service
        _ = try step(now) { core in
            core.wake(now: now)
            for (address, since) in core.wanted.sorted(by: { $0.key.text < $1.key.text }) {
                core.receive(service.payloads(on: address, since: since), now: now)
            }
        }
    }
}

/// A conversation in which one side's machine stops at an operation.
private struct CrashRun {
    var saro, raya: DurablePeer
    private let service = KeepingService()
    private var now = Timestamp(milliseconds: 1_700_000_000_000)

    init(_ type: any ConversationProtocol, _ loss: FaultyFiles.Loss = .tail, saro: Int? = nil, raya: Int? = nil)
        throws
    {
        self.saro = try DurablePeer(1, type, service, loss)
        self.raya = try DurablePeer(2, type, service, loss)
        self.saro.crash(at: saro)
        self.raya.crash(at: raya)
        try run(type.name)
    }

    private mutating func run(_ type: ConversationType) throws {
        var bundle: IntroductionBundle?
        while try !raya.step(now, { bundle = try $0.introduce(1, now: now).first }) {}
        while saro.conversation == nil {
            let isDone = try saro.step(now) { core in
                guard core.conversations.isEmpty else { return }
                _ = try core.begin(type, with: bundle, saying: Bytes("hello               "), now: now)
            }
            if isDone { break }
        }
        for round in 0..<4 {
            try tick()
            try saro.send("saro \(round)", size: round == 1 ? 3_000 : 20, now)
            if raya.conversation != nil { try raya.send("raya \(round)", size: round == 2 ? 3_000 : 20, now) }
        }
        for _ in 0..<18 { try tick() }
    }

    private mutating func tick() throws {
        now = now + .seconds(1)
        try saro.live(now)
        try raya.live(now)
    }

    func check(_ what: String) {
        for (sender, recipient) in [(saro, raya), (raya, saro)] {
            let heard = recipient.heard.filter { !$0.hasPrefix("hello") }
            #expect(Set(heard).count == heard.count, "\(what): something was delivered twice: \(heard)")
            let lost = Set(sender.accepted).subtracting(heard)
            #expect(lost.isEmpty, "\(what): accepted and lost: \(lost)")
            let invented = Set(heard).subtracting(sender.accepted).subtracting(sender.open)
            #expect(invented.isEmpty, "\(what): never sent: \(invented)")
            #expect(heard == heard.sorted(), "\(what): out of order: \(heard)")
        }
        #expect(raya.heard.filter { $0.hasPrefix("hello") }.count == 1, "\(what): the opening")
    }
}

private let types: [any ConversationProtocol] = [PrivateV1.Compact.type, Reliable<PlainConversation>.type]

@Test(arguments: FaultyFiles.Loss.allCases)
func
    `a crash at any write loses and doubles no content of a reliable conversation, and no key is used twice (STORE-7, REL-8)`(
        loss: FaultyFiles.Loss
    ) throws
{
    for type in types {
        let quiet = try CrashRun(type)
        quiet.check("without a crash")
        #expect(quiet.saro.heard.count == 4 && quiet.saro.statuses.values.filter { $0 == .delivered }.count == 5)
        // Every fourth operation for each of the four kinds of loss, so that together every one has its turn.
        let first = FaultyFiles.Loss.allCases.firstIndex(of: loss) ?? 0
        let pace = Seeds.isQuick ? 40 : 4
        for operation in stride(from: first, to: quiet.saro.operations, by: pace) {
            let run = try CrashRun(type, loss, saro: operation)
            #expect(run.saro.crashes > 0)
            run.check("\(type.name), \(loss), Saro at operation \(operation)")
        }
        for operation in stride(from: first, to: quiet.raya.operations, by: pace) {
            let run = try CrashRun(type, loss, raya: operation)
            #expect(run.raya.crashes > 0)
            run.check("\(type.name), \(loss), Raya at operation \(operation)")
        }
    }
}
