internal import ChatClient
internal import ChatCrypto
internal import ChatModel
internal import ChatStorage

/// One of the two who try a mix; a restart makes it again from its storage.
struct Participant {
    private let suite: ChatSuite
    private let storage = InMemoryStorage()
    private let meter: Counting
    private(set) var client: Client

    init(_ suite: ChatSuite) async throws {
        meter = Counting(suite.delivery)
        self.suite = try suite.changing(delivery: meter)
        client = try await Client(self.suite, storage: storage, random: SystemRandom())
    }

    /// Bytes on the wire so far.
    var bytes: Int { meter.sent.bytes }

    mutating func restart() async throws {
        await client.close()
        client = try await Client(suite, storage: storage, random: SystemRandom())
    }

    /// Waits until contents have come, in any order; false when a minute was not enough.
    func hear(_ contents: Set<Content>) async -> Bool {
        let client = client
        let timer = Task {
            try await Task.sleep(for: .seconds(60))
            await client.close()
        }
        defer { timer.cancel() }
        // After a restart a batch may come again, so the contents are looked for and not counted.
        var (missing, events) = (contents, client.events.makeAsyncIterator())
        while !missing.isEmpty, let batch = await events.next() {
            for case .conversation(_, .content(let received)) in batch.events { missing.remove(received.content) }
        }
        return missing.isEmpty
    }
}
