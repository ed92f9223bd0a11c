import ChatStorage
import AgentChat
import ChatClient
import ChatModel
import NIOCore
import Testing

@testable import AgentChatServer

/// Writes a word when it is let.
private struct Waiting: Agent {
    func run(_ job: AgentJob) async throws {
        try await job.say("begun")
        while let news = await job.news() {
            guard case .injected(_, let text) = news else { continue }
            try await job.say(text)
            if text == "end" { return }
        }
        throw CancellationError()
    }
}

/// Storage that can be told to fail.
private final class Fragile: Storage {
    let inner = InMemoryStorage()
    let isBroken = Lock(false)

    func load() throws(StorageError) -> [Record] { try inner.load() }
    func commit(_ changes: [Record]) throws(StorageError) {
        if isBroken.withLock({ $0 }) { throw .full(path: "nowhere", bytes: 0) }
        try inner.commit(changes)
    }
}

struct HouseTests {
    /// A client without a network: its frames go straight to the room.
    private struct Person {
        let room: Room
        let outbox = Outbox(limit: 1 << 20)

        func say(_ command: Command) async { await room.receive(Bytes(AgentJSON().encode(command)), from: outbox) }

        func run(_ text: String, as id: Identifier) async {
            let message = Message(id: id, role: .user, parts: [.text(TextPart(text))])
            await say(.run(.init(chat: room.chat, message: message)))
        }

        /// Messages up to the first that is wanted.
        func hear(until isWanted: (ServerMessage) -> Bool) async throws -> [ServerMessage] {
            var heard: [ServerMessage] = []
            while let items = await outbox.next() {
                for case .text(let buffer) in items {
                    let bytes = Array(buffer.readableBytesView)
                    heard.append(try AgentJSON().serverMessage(bytes.span))
                }
                if heard.contains(where: isWanted) { return heard }
            }
            return heard
        }
    }

    private func house(_ storage: any Storage) throws -> House {
        try House(Waiting(), storage: storage, log: Log { _ in })
    }

    @Test(.timeLimit(.minutes(2)))
    func `a job that lived when the service ended has failed afterwards, and nothing is lost`() async throws {
        let storage = InMemoryStorage()
        let first = try house(storage)
        let chat = try #require(try await first.create(title: "Tables"))
        let before = Person(room: try #require(await first.room(chat.id)))
        #expect(await before.room.join(before.outbox))
        await before.run("Hello", as: "m1")
        _ = try await before.hear { if case .stream = $0 { true } else { false } }

        let second = try house(InMemoryStorage(try storage.load()))
        #expect(await second.list(limit: 20, offset: 0, archived: false) == [chat])
        let after = Person(room: try #require(await second.room(chat.id)))
        #expect(await after.room.join(after.outbox))
        await after.say(.getChat(chat.id))
        let heard = try await after.hear { if case .chatHistory = $0 { true } else { false } }
        // The end of the job comes before anything else may come (7.4).
        guard heard.count == 3, case .error(let failure) = heard[0], case .ready(let ready) = heard[1],
            case .chatHistory(let history) = heard[2]
        else {
            return #expect(Bool(false), "\(heard)")
        }
        #expect(failure.job != nil && failure.code == "internal")
        #expect(ready.activeJob == ServerMessage.ActiveJob.none)
        #expect(history.initialPath.map(\.role) == [.user, .assistant])
    }

    @Test(.timeLimit(.minutes(2)))
    func `what could not be stored nobody hears of, and the chat goes on from what is stored`() async throws {
        let storage = Fragile()
        let house = try house(storage)
        let chat = try #require(try await house.create(title: "Tables"))
        let person = Person(room: try #require(await house.room(chat.id)))
        #expect(await person.room.join(person.outbox))
        _ = try await person.hear { _ in true }
        storage.isBroken.withLock { $0 = true }
        await person.run("Hello", as: "m1")
        #expect(try await person.hear { _ in true } == [])
        #expect(person.outbox.isClosed)
        storage.isBroken.withLock { $0 = false }
        var room = await house.room(chat.id)
        while room === person.room {
            await Task.yield()
            room = await house.room(chat.id)
        }
        let again = Person(room: try #require(room))
        #expect(await again.room.join(again.outbox))
        await again.run("Hello", as: "m1")
        let heard = try await again.hear { if case .stream = $0 { true } else { false } }
        #expect(heard.contains { if case .run = $0 { true } else { false } })
    }

    @Test(.timeLimit(.minutes(2)))
    func `a chat that could not be stored is not there`() async throws {
        let storage = Fragile()
        let house = try house(storage)
        storage.isBroken.withLock { $0 = true }
        await #expect(throws: StorageError.self) { try await house.create(title: "Tables") }
        #expect(await house.list(limit: 20, offset: 0, archived: false).isEmpty)
        storage.isBroken.withLock { $0 = false }
        let chat = try #require(try await house.create(title: "Chairs"))
        #expect(await house.list(limit: 20, offset: 0, archived: false) == [chat])
        #expect(house.has(chat.id))
    }

    @Test(.timeLimit(.minutes(2)))
    func `more jobs than places are refused as failed jobs`() async throws {
        var limits = Limits()
        limits.jobs = 1
        let house = try House(Waiting(), limits: limits, log: Log { _ in })
        for number in 0..<2 {
            let chat = try #require(try await house.create(title: "\(number)"))
            let person = Person(room: try #require(await house.room(chat.id)))
            #expect(await person.room.join(person.outbox))
            await person.run("Hello", as: "m1")
            _ = try await person.hear {
                switch $0 {
                case .stream: number == 0
                case .error(let failure): number == 1 && failure.job != nil
                default: false
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a chat has so many sockets`() async throws {
        var limits = Limits()
        limits.socketsOfChat = 2
        let house = try House(Waiting(), limits: limits, log: Log { _ in })
        let chat = try #require(try await house.create(title: "Tables"))
        let room = try #require(await house.room(chat.id))
        let boxes = (0..<3).map { _ in Outbox(limit: 1_000) }
        var joined: [Bool] = []
        for box in boxes { joined.append(await room.join(box)) }
        #expect(joined == [true, true, false])
        await room.leave(boxes[0])
        #expect(await room.join(boxes[2]))
    }
}
