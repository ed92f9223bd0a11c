internal import ChatModel

// Capabilities beyond delivering: one order for all, replies that end, headers.
extension Conformance {
    static func checkOrder(_ clients: Ends, _ checker: inout Checker) async {
        await checker.check("DS-16", "all subscribers see one order, also of what is published again") {
            dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.totalOrder), "offers no total order")
            let address = dice.address()
            let mailboxes = [
                try await clients.subscribed([address: .now]), try await clients.subscribed([address: .now]),
            ]
            let halves = (UInt8(0)..<2).map { half in
                (UInt8(0)..<40).map { dice.addressed(address, [half << 7 | $0]) }
            }
            let services = [clients.one, clients.two]
            await withTaskGroup(of: Void.self) { group in
                for (service, half) in zip(services, halves) {
                    group.addTask { for payload in half { _ = await service.publish([payload]) } }
                }
            }
            try await clients.publish([halves[0][3], dice.addressed(address, [255])])
            var orders: [[Seen]] = []
            for mailbox in mailboxes { orders.append(await clients.observe(mailbox) { $0 == .payload([255]) }) }
            try expect(orders[0] == orders[1], "one subscriber saw another order than the other")
            try expect(
                orders[0].count == 81, "of 80 payloads, one published twice, and another came \(orders[0].count)")
        }
    }

    static func checkReplies(_ clients: Ends, _ checker: inout Checker) async {
        await checker.check("DS-17", "who asked learns how the reply ended, behind its last payload") {
            dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.replies), "offers no replies")
            for ending in [Ending.complete, .cancelled, .failed("why")] {
                let reply = dice.address()
                let mailbox = try await clients.subscribed([reply: .now])
                var last = dice.addressed(reply, [2])
                last.ending = ending
                try await clients.publish([dice.addressed(reply, [1]), last])
                let seen = await clients.observe(mailbox) { $0 == .notice(.ended(reply, ending)) }
                try expect(seen == [.payload([1]), .payload([2]), .notice(.ended(reply, ending))], "it saw \(seen)")
            }
        }
        await checker.check("DS-17b", "who serves learns that nobody listens to the reply any more") {
            dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.replies), "offers no replies")
            let (address, reply) = (dice.address(), dice.address())
            let server = try await clients.subscribed([address: .now])
            let asker = try await clients.subscribed([reply: .now])
            var request = dice.addressed(address, [1])
            request.replyAddress = reply
            try await clients.publish([request])
            await clients.one.unsubscribe([reply], from: asker)
            let seen = await clients.observe(server) { $0 == .notice(.ended(reply, .cancelled)) }
            try expect(seen.last == .notice(.ended(reply, .cancelled)), "it saw \(seen)")
        }
        await checker.check("DS-18", "headers are carried beside the payload, where that is offered") {
            dice async throws(Stop) in
            try applies(clients.one.limits.offers.contains(.headers), "offers no headers")
            let address = dice.address()
            let mailbox = try await clients.subscribed([address: .now])
            var sent = dice.addressed(address, [1])
            sent.headers = [Header("a", "b"), Header("a", "c"), Header("", "")]
            try await clients.publish([sent])
            let got = try await clients.receive(1, from: mailbox).first?.addressed.headers
            try expect(got == sent.headers, "the headers became \(String(describing: got))")
        }
    }
}

/// The contents of a mailbox, in the order of arrival.
enum Seen: Equatable, Sendable {
    case payload(Bytes)
    case notice(Notice)
}

extension Ends {
    /// Reads a mailbox up to the last wanted payload, or until patience ends.
    func observe(_ mailbox: Mailbox, until isLast: @escaping @Sendable (Seen) -> Bool) async -> [Seen] {
        let reader = Task {
            var seen: [Seen] = []
            while !(seen.last.map(isLast) ?? false), let batch = await mailbox.next() {
                for run in batch.runs {
                    seen += run.deliveries.map { .payload($0.addressed.payload) }
                    seen += [run.notice].compactMap(\.self).map { .notice($0) }
                }
            }
            return seen
        }
        let timer = Task {
            try await Task.sleep(for: patience)
            mailbox.close()
        }
        defer { timer.cancel() }
        return await reader.value
    }
}
