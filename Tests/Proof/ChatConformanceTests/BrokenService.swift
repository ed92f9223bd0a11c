import ChatDeliveryService
import ChatModel

/// A good service with one defect, named by the check that must find it.
final class BrokenService: DeliveryService {
    enum Defect: String, CaseIterable, Sendable, BreaksCheck {
        case badName = "FW-01"
        case noSummary = "FW-01 summary"
        case refusesToSubscribe = "DS-01 subscribing"
        case refusesToPublish = "DS-01 publishing"
        case loses = "DS-01 nothing"
        case otherForTheFirst = "DS-02 first"
        case otherForTheSecond = "DS-02 second"
        case everythingForStrangers = "DS-02 stranger"
        case namesAnotherAddress = "DS-07 address"
        case namesAnotherReply = "DS-07 reply"
        case namesWhatItStores = "DS-08 name"
        case waitsForEver = "DS-10 wait"
        case hasNoCursors = "DS-11b none"
        case hasLongCursors = "DS-11b size"
        case keepsNothing = "DS-11c nothing"
        case repeatsTheFirst = "DS-12 first"
        case deliversTheUnwanted = "DS-13 first"
        case mixesAddressesUp = "DS-08 payload"
        case remembersAnotherPast = "DS-11 past"
        case goesOnElsewhere = "DS-11b rest"
        case cuts = "DS-01"
        case oneSubscriber = "DS-02"
        case readsPayloads = "DS-07"
        case lowercasesAddresses = "DS-08"
        case dropsWhenFull = "DS-04"
        case deliversTwice = "DS-12"
        case neverUnsubscribes = "DS-13"
        case takesAnySize = "DS-09"
        case takesAnyNumber = "DS-10"
        case answersForSome = "DS-06"
        case forgetsThePast = "DS-11"
        case ignoresCursors = "DS-11b"
        case retainsMore = "DS-11c"
        case reorders = "DS-05"
        case losesWhatItTook = "DS-06b"
        case ordersForEach = "DS-16 order"
        case takesAnotherPlace = "DS-16"
        case endsTooEarly = "DS-17"
        case tellsNoServer = "DS-17b"
        case dropsHeaders = "DS-18"
    }

    private let defect: Defect
    private let inner: InMemoryDeliveryService
    let limits: DeliveryLimits
    private let subscribed = Shared<[DeliveryAddress: Int]>([:])

    init(_ defect: Defect) {
        self.defect = defect
        let kept = DeliveryLimits.Retention(payloads: 50, bytes: 1 << 20, age: .seconds(60))
        inner = InMemoryDeliveryService(limits: DeliveryLimits(maximumPayload: 64 << 10, retention: kept))
        let stated = DeliveryLimits.Retention(
            payloads: defect == .retainsMore ? 20 : 50, bytes: 1 << 20, age: .seconds(60))
        limits = DeliveryLimits(
            maximumPayload: defect == .takesAnySize ? 1_000 : 64 << 10,
            rate: [.takesAnyNumber, .waitsForEver].contains(defect)
                ? DeliveryLimits.Rate(payloads: 10, epoch: .seconds(60)) : nil,
            retention: stated, offers: [.ordering, .acknowledgement, .totalOrder, .replies, .headers])
    }

    var facts: Facts {
        switch defect {
        case .badName: Facts(name: "", summary: "a summary")
        case .noSummary: Facts(name: "memory", summary: "")
        default: inner.facts
        }
    }
    private let published = Shared(0)

    func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        if defect == .refusesToPublish { return payloads.map { _ in .failure(.closed) } }
        if defect == .waitsForEver, payloads.count > 10 {
            return payloads.map { _ in .failure(.rateLimited(limit: 10, retryAfter: .seconds(600))) }
        }
        if defect == .loses || defect == .keepsNothing { return payloads.map { _ in .success(Receipt()) } }
        var sent = payloads.map(spoiled)
        if defect == .reorders { sent.reverse() }
        if defect == .repeatsTheFirst, sent.count == 2 {
            sent[1] = Addressed(sent[0].address, payload: sent[0].payload)
        }
        if defect == .deliversTheUnwanted { sent = Array(sent.prefix(1)) }
        if defect == .losesWhatItTook {
            _ = await inner.publish(sent.enumerated().filter { $0.offset % 3 != 1 }.map(\.element))
            return payloads.map { _ in .success(Receipt()) }
        }
        if defect == .tellsNoServer { for index in sent.indices { sent[index].replyAddress = nil } }
        let results = await inner.publish(sent)
        if defect == .deliversTwice {
            let again = sent.filter { payload in subscribed.with { $0[payload.address, default: 0] } > 1 }
            _ = await inner.publish(again.map { Addressed($0.address, payload: $0.payload) })
        }
        return defect == .answersForSome ? results.dropLast() : results
    }

    private func spoiled(_ addressed: Addressed) -> Addressed {
        var spoiled = addressed
        switch defect {
        case .cuts: spoiled.payload = addressed.payload.slice(0..<min(1_000, addressed.payload.count))
        case .readsPayloads: spoiled.payload = Bytes(addressed.payload.array.filter { $0 != 10 })
        case .dropsHeaders: spoiled.headers = []
        case .takesAnotherPlace: spoiled.id = PayloadID(high: 0, low: 0)
        case .lowercasesAddresses: spoiled.address = DeliveryAddress(addressed.address.text.lowercased())
        default: break
        }
        return spoiled
    }

    func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        if defect == .refusesToSubscribe { throw .closed }
        for (address, since) in addresses {
            let count = subscribed.with { table in
                table[address, default: 0] += 1
                return table[address, default: 0]
            }
            var (address, since, box) = (address, since, mailbox)
            switch (defect, since) {
            case (.oneSubscriber, _) where count > 1: continue
            case (.lowercasesAddresses, _): address = DeliveryAddress(address.text.lowercased())
            case (.forgetsThePast, .earliest): since = .now
            case (.ignoresCursors, .after): since = .earliest
            case (.dropsWhenFull, _): box = leaking(into: mailbox)
            case (.otherForTheFirst, _) where count == 1, (.otherForTheSecond, _) where count == 2:
                box = changing(into: mailbox) { addressed, _ in addressed.payload = [9] }
            case (.everythingForStrangers, _):
                box = changing(into: mailbox) { addressed, _ in if addressed.payload == [2] { addressed.payload = [1] }
                }
            case (.mixesAddressesUp, _), (.remembersAnotherPast, .earliest), (.goesOnElsewhere, .after):
                box = changing(into: mailbox) { addressed, _ in addressed.payload = [1] }
            case (.namesAnotherAddress, _):
                box = changing(into: mailbox) { addressed, _ in addressed.address = "another" }
            case (.namesAnotherReply, _):
                box = changing(into: mailbox) { addressed, _ in addressed.replyAddress = "another" }
            case (.namesWhatItStores, _):
                box = changing(into: mailbox) { addressed, _ in
                    addressed.address = DeliveryAddress("/" + addressed.address.text)
                }
            case (.ordersForEach, _) where count == 1, (.endsTooEarly, _):
                box = shuffling(into: mailbox)
            case (.hasNoCursors, _): box = changing(into: mailbox) { _, cursor in cursor = nil }
            case (.hasLongCursors, _):
                box = changing(into: mailbox) { _, cursor in cursor = Cursor(Bytes([UInt8](repeating: 0, count: 65))) }
            default: break
            }
            try await inner.subscribe([address: since], into: box)
        }
    }

    /// A mailbox whose payloads go on into another, as far as they find room there.
    private func leaking(into mailbox: Mailbox) -> Mailbox {
        let own = Mailbox()
        Task { while let batch = await own.next() { _ = mailbox.offer(batch.deliveries) } }
        return own
    }

    /// A mailbox whose payloads go on into another, changed.
    private func changing(
        into mailbox: Mailbox, _ change: @escaping @Sendable (inout Addressed, inout Cursor?) -> Void
    ) -> Mailbox {
        let own = Mailbox()
        Task {
            while let batch = await own.next() {
                _ = mailbox.offer(
                    batch.deliveries.map { delivery in
                        var (addressed, cursor) = (delivery.addressed, delivery.cursor)
                        change(&addressed, &cursor)
                        return Delivery(addressed, cursor: cursor)
                    })
            }
        }
        return own
    }

    /// A mailbox whose news overtake payloads, and whose second payload overtakes the first.
    private func shuffling(into mailbox: Mailbox) -> Mailbox {
        let own = Mailbox()
        Task {
            var held: Delivery?
            var isFirst = true
            while let batch = await own.next() {
                for notice in batch.notices { mailbox.notify(notice) }
                for delivery in batch.deliveries {
                    if isFirst {
                        (held, isFirst) = (delivery, false)
                        continue
                    }
                    _ = mailbox.offer([delivery, held].compactMap(\.self))
                    held = nil
                }
            }
        }
        return own
    }

    func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        guard defect != .neverUnsubscribes, defect != .deliversTheUnwanted else { return }
        await inner.unsubscribe(addresses, from: mailbox)
    }
}
