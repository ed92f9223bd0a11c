import ChatDeliveryService
import ChatModel
import ChatSimulation
import Testing

private func run(_ faults: FaultyDeliveryService.Faults, seed: UInt64 = 1) async throws -> (
    taken: Int, received: [String]
) {
    let inner = InMemoryDeliveryService()
    let service = FaultyDeliveryService(inner, faults: faults, seed: seed)
    let mailbox = Mailbox()
    try await service.subscribe(["hall": .now], into: mailbox)
    let results = await service.publish((0..<400).map { addressed("\($0)") })
    await service.flush()
    await inner.publish(addressed("end"))
    let received = mailbox.texts(await mailbox.next())
    return (results.filter(\.isTaken).count, received.dropLast())
}

private let sent = (0..<400).map(String.init)

@Test(.timeLimit(.minutes(30))) func `without faults everything passes`() async throws {
    let (taken, received) = try await run(.init())
    #expect(taken == 400)
    #expect(received == sent)
}

@Test(.timeLimit(.minutes(30))) func `a lost payload is said to be taken and nobody gets it (DS-04)`() async throws {
    let (taken, received) = try await run(.init(loss: 0.25))
    #expect(taken == 400)
    #expect((270...330).contains(received.count))
    #expect(try await run(.init(loss: 0.25)).received == received, "the same seed, the same fate")
    #expect(try await run(.init(loss: 0.25), seed: 2).received != received)
}

@Test(.timeLimit(.minutes(30))) func `a duplicated payload arrives twice (DS-04)`() async throws {
    let received = try await run(.init(duplication: 0.5)).received
    #expect((560...640).contains(received.count))
    #expect(Set(received) == Set(sent))
}

@Test(.timeLimit(.minutes(30))) func `reordering changes the order and loses nothing (DS-05)`() async throws {
    let received = try await run(.init(reordering: 0.3)).received
    #expect(received != sent)
    #expect(received.count == 400)
    #expect(Set(received) == Set(sent))
}

@Test(.timeLimit(.minutes(30))) func `a rejected payload says when to try again (DS-06)`() async throws {
    let (taken, received) = try await run(.init(rejection: 0.5))
    #expect((160...240).contains(taken))
    #expect(received.count == taken)
    let service = FaultyDeliveryService(InMemoryDeliveryService(), faults: .init(rejection: 1), seed: 1)
    guard case .failure(let error) = await service.publish(addressed("x")) else {
        Issue.record("not refused")
        return
    }
    #expect(error.retryAfter == .milliseconds(100))
}

@Test(.timeLimit(.minutes(30))) func `while the service is down nothing is taken (DS-13)`() async throws {
    let service = FaultyDeliveryService(InMemoryDeliveryService(), faults: .init(), seed: 1)
    service.isDown = true
    #expect(await service.publish(addressed("x")) == .failure(.unreachable("the service", after: .zero)))
    await #expect(throws: DeliveryError.self) { try await service.subscribe(["hall": .now], into: Mailbox()) }
    service.isDown = false
    #expect(await service.publish(addressed("x")).isTaken)
}

@Test(.timeLimit(.minutes(30)))
func `what comes in is lost for one mailbox and not for another (DS-04)`() async throws {
    let inner = InMemoryDeliveryService()
    let service = FaultyDeliveryService(inner, faults: .init(lossInbound: 0.25), seed: 1)
    let (lossy, whole) = (Mailbox(), Mailbox())
    try await service.subscribe(["hall": .now], into: lossy)
    service.faults = .init()
    try await service.subscribe(["hall": .now], into: whole)
    service.faults = .init(lossInbound: 0.25)
    _ = await service.publish((0..<400).map { addressed("\($0)") })
    #expect(whole.texts(await whole.next()) == sent)
    // One of them gets through.
    _ = await service.publish((0..<100).map { _ in addressed("end") })
    var received: [String] = []
    while received.last != "end" { received += lossy.texts(await lossy.next()) }
    received.removeAll { $0 == "end" }
    #expect((270...330).contains(received.count))
    #expect(received == sent.filter(Set(received).contains), "in order")
}

@Test(.timeLimit(.minutes(30))) func `a full mailbox makes what comes in wait and loses nothing`() async throws {
    let service = FaultyDeliveryService(InMemoryDeliveryService(), faults: .init(lossInbound: 1e-12), seed: 1)
    let mailbox = Mailbox(capacity: 8)
    try await service.subscribe(["hall": .now], into: mailbox)
    _ = await service.publish((0..<400).map { addressed("\($0)") })
    var received: [String] = []
    while received.count < 400 { received += mailbox.texts(await mailbox.next()) }
    #expect(received == sent)
}
