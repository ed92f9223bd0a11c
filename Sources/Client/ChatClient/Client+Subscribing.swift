internal import ChatModel

// Subscriptions, and those that the service refuses (CORE-24).
extension Client {
    /// Carries out what is waiting to be subscribed to and unsubscribed from.
    func subscribeAll() async {
        var pause = Self.storagePause
        while !isClosed, !unsubscribed.isEmpty || !unwanted.isEmpty {
            if !unwanted.isEmpty { takeBackRefused() }
            let (begun, ended) = (unsubscribed, unwanted)
            (unsubscribed, unwanted) = ([:], [])
            if !ended.isEmpty { await suite.delivery.unsubscribe(ended, from: mailbox) }
            do throws(DeliveryError) {
                var attempt = Attempt()
                if !begun.isEmpty { try await subscribe(begun, &attempt) }
                let subscribed = Set(begun.keys).subtracting(attempt.refused.keys)
                if !subscribed.isEmpty,
                    (try? await step { core, _ throws(Refusal) in core.subscribed(subscribed) }) == nil
                {
                    // Not stored, so everything may have to be read anew: not before there may be room.
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, Self.longestStoragePause)
                }
                if core.isInterrupted { try? await tell(.resumed()) }
                await putOff(attempt)
            } catch {
                unsubscribed.merge(begun) { new, _ in new }
                answerSubscribers(error)
                try? await tell(.interrupted(error.description))
                try? await Task.sleep(for: max(error.retryAfter ?? .zero, Self.subscribePause))
            }
        }
        answerSubscribers(nil)
    }

    /// What the service refused of one attempt.
    private struct Attempt {
        var refused: [DeliveryAddress: Since] = [:]
        var error: DeliveryError?
        /// Calls that may still be made to find out which addresses are refused.
        var calls = 128
    }

    /// Subscribes to addresses, and finds out by halves which of them the service refuses.
    ///
    /// - Throws: an error that is about the link and not about an address.
    private func subscribe(_ wanted: [DeliveryAddress: Since], _ attempt: inout Attempt) async throws(DeliveryError) {
        attempt.calls -= 1
        do throws(DeliveryError) {
            try await suite.delivery.subscribe(wanted, into: mailbox)
        } catch {
            guard error.isAboutAddress else { throw error }
            attempt.error = error
            guard wanted.count > 1, attempt.calls > 0 else {
                return attempt.refused.merge(wanted) { _, new in new }
            }
            let addresses = wanted.keys.sorted { $0.text < $1.text }
            let half = Set(addresses[..<(addresses.count / 2)])
            try await subscribe(wanted.filter { half.contains($0.key) }, &attempt)
            try await subscribe(wanted.filter { !half.contains($0.key) }, &attempt)
        }
    }

    /// Asks again for what was refused after a pause, which doubles, and tells the application.
    private func putOff(_ attempt: Attempt) async {
        guard let error = attempt.error, !attempt.refused.isEmpty else {
            if refused.isEmpty { refusedPause = Self.subscribePause }
            return
        }
        refused.merge(attempt.refused) { _, new in new }
        answerSubscribers(error)
        let refusal = Refusal(.unable, ClientCause.notSubscribed(refused.count, error.description))
        try? await step { core, _ throws(Refusal) in core.note(refusal, in: nil) }
        let pause = max(min(error.retryAfter ?? .zero, Self.longestSubscribePause), refusedPause)
        refusedPause = min(refusedPause * 2, Self.longestSubscribePause)
        Task { [weak self] in
            try? await Task.sleep(for: pause)
            await self?.askAgain()
        }
    }

    private func askAgain() {
        takeBackRefused()
        subscribing.ring()
    }

    /// What was refused and is still wanted is asked for again.
    private func takeBackRefused() {
        unsubscribed.merge(refused.filter { core.wants($0.key) }) { new, _ in new }
        refused = [:]
    }

    private func tell(_ notice: Notice) async throws(ClientError) {
        try await step { core, now throws(Refusal) in core.notice(notice, now: now) }
    }

    private func answerSubscribers(_ error: DeliveryError?) {
        subscriptionWaiters.forEach { $0.resume(returning: error) }
        subscriptionWaiters = []
    }

    /// Waits until every wanted address is subscribed to, or an attempt fails.
    func subscribed() async -> DeliveryError? {
        guard !isClosed else { return .closed }
        return await withCheckedContinuation {
            subscriptionWaiters.append($0)
            subscribing.ring()
        }
    }

    /// The pause before a subscription that failed is tried again.
    static let subscribePause = Duration.seconds(1)
    /// The longest such pause, where the service refuses single addresses.
    static let longestSubscribePause = Duration.seconds(60)
}

extension DeliveryError {
    /// Whether a subscription failed for what it asks for, and others may go on.
    fileprivate var isAboutAddress: Bool {
        switch self {
        case .unreachable, .startup, .closed: false
        case .tooLarge, .rateLimited, .badAddress, .overloaded, .rejected, .lacks: true
        }
    }
}
