import ChatModel

/// Stands between a service and a mailbox and loses some of what is delivered.
///
/// Payloads from the service are handed on at once, or kept until the mailbox has room; so a full mailbox makes
/// the service wait here, too. Lives as long as the faulty service that made it.
final class LossyInlet: Sendable {
    /// The mailbox that the service delivers to.
    let mailbox = Mailbox()
    private let task: Task<Void, Never>

    /// How long to wait before a full mailbox is asked again.
    private static let pause = Duration.milliseconds(2)

    /// Hands on to a mailbox what survives.
    init(before outlet: Mailbox, isLost: @escaping @Sendable () -> Bool) {
        let inlet = mailbox
        task = Task {
            while let batch = await inlet.next() {
                for run in batch.runs {
                    await Self.pass(run.deliveries.filter { _ in !isLost() }, to: outlet)
                    if let notice = run.notice { outlet.notify(notice) }
                }
            }
        }
    }

    private static func pass(_ deliveries: [Delivery], to outlet: Mailbox) async {
        var rest = deliveries
        while !rest.isEmpty, !Task.isCancelled {
            rest.removeFirst(outlet.offer(rest))
            if !rest.isEmpty { try? await Task.sleep(for: pause) }
        }
    }

    deinit {
        task.cancel()
        mailbox.close()
    }
}
