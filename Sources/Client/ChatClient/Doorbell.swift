/// Wakes one task, however often it is rung while the task is busy.
struct Doorbell: Sendable {
    /// Ends when the bell is closed.
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (rings, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func ring() { continuation.yield() }
    func close() { continuation.finish() }
}
