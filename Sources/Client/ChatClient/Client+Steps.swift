internal import ChatModel
internal import ChatStorage

// One queue of steps, one transaction for those that wait together.
extension Client {
    /// A step that waits, and how its caller is answered once its records are stored.
    struct Step {
        let run: (inout ChatCore, Timestamp) -> Answer
        typealias Answer = (ClientError?) -> Void
    }

    /// Carries out a step of the core, stores what changed and returns what the step gave.
    func step<Value: Sendable>(
        _ body: @escaping @Sendable (inout ChatCore, Timestamp) throws(Refusal) -> Value
    ) async throws(ClientError) -> Value {
        guard !isClosed else { throw .closed }
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, ClientError>, Never>) in
            waitingSteps.append(
                Step { core, now in
                    let result: Result<Value, ClientError>
                    do throws(Refusal) { result = .success(try body(&core, now)) } catch {
                        result = .failure(.refused(error))
                    }
                    return { trouble in continuation.resume(returning: trouble.map { .failure($0) } ?? result) }
                })
            scheduleSteps()
        }
        return try result.get()
    }

    /// Lets the steps that are on their way to this actor join the same transaction.
    func scheduleSteps() {
        guard !isStepping else { return }
        isStepping = true
        Task { carryOut() }
    }

    /// Carries out the steps that wait, stores once, and then lets the consequences happen.
    func carryOut() {
        isStepping = false
        guard !isClosed else { return }
        let steps = waitingSteps
        waitingSteps = []
        let now = clock()
        if !carryOut(steps, now, isLast: steps.count <= 1) {
            // One that is too large must not take the others with it (CORE-18).
            for step in steps where !isClosed { _ = carryOut([step], now, isLast: true) }
        }
        followUp(now)
    }

    /// Carries out steps and stores them in one transaction.
    ///
    /// - Returns: false where they are too large together and none of them has happened or was answered.
    private func carryOut(_ steps: [Step], _ now: Timestamp, isLast: Bool) -> Bool {
        let hasUnstored = core.nextFlush != nil
        let answers = steps.map { $0.run(&core, now) }
        let records = core.takeUrgentRecords()
        var trouble: ClientError?
        if !records.isEmpty {
            do throws(StorageError) { try storage.commit(records) } catch { trouble = .storage(error) }
        }
        if let trouble {
            rollBack(after: trouble, hadUnstored: hasUnstored)
            guard !trouble.isTooLarge || isLast || isClosed else { return false }
        }
        for answer in answers { answer(trouble) }
        return true
    }

    /// Returns to what is stored: the steps of this transaction did not happen.
    ///
    /// - Parameter hadUnstored: whether earlier steps waited to be stored. They are lost as well, so what arrived in
    ///   them must come again, from the cursors that are stored.
    private func rollBack(after trouble: ClientError, hadUnstored: Bool) {
        let isInterrupted = core.isInterrupted
        // A report that the application has not taken is lost with the state around it, so it is made again.
        if core.waitingBatches.contains(where: { $0.events.contains(where: \.isStorageTrouble) }) { reported = nil }
        do throws(ClientError) {
            core = try Self.load(suite, storage, random, core.limits, clock())
            // Events that the application has dealt with are not shown again; otherwise every commit that fails would
            // show them once more.
            core.confirm(batchesUpTo: confirmed)
            // The service does not say it twice.
            if isInterrupted { core.interrupt() }
            if hadUnstored { (unsubscribed, unwanted) = (core.wanted, Array(core.wanted.keys)) }
            // A step that is too large for the storage is handled by its caller.
            if !trouble.isTooLarge { tell(trouble) }
            if core.changes.isUrgent { storeLater() }
        } catch {
            // The stored state cannot be read either; nothing more can be promised.
            tell(error)
            showEvents()
            let steps = waitingSteps
            waitingSteps = []
            for step in steps { step.run(&core, clock())(error) }
            shut()
        }
    }

    /// Stores what restoring asked for, once there may be room.
    private func storeLater() {
        Task {
            try? await Task.sleep(for: Self.storagePause)
            scheduleSteps()
        }
    }

    /// Reports a storage trouble, the same one seldom: each step that cannot be stored has it again (CORE-18).
    private func tell(_ trouble: ClientError) {
        let (text, now) = (trouble.description, clock())
        if let reported, reported.trouble == text, reported.at <= now, now < reported.at + Self.troublePause { return }
        reported = (text, now)
        core.append(EventBatch(number: 0, events: [.storageTrouble(text)]))
    }

    /// The time between two reports of one storage trouble.
    private static let troublePause = Duration.seconds(10)

    /// The consequences of a stored step.
    private func followUp(_ now: Timestamp) {
        guard !isClosed else { return }
        let (begun, ended) = core.takeSubscriptions()
        unsubscribed.merge(begun) { _, new in new }
        unwanted += ended
        if !unsubscribed.isEmpty || !unwanted.isEmpty { subscribing.ring() }
        if let due = core.nextPublish, due <= now { publishing.ring() }
        showEvents()
        if !core.isFull {
            roomWaiters.forEach { $0.resume() }
            roomWaiters = []
        }
        setAlarm(now)
    }

    private func setAlarm(_ now: Timestamp) {
        let publishing = core.nextPublish.flatMap { $0 > now ? $0 : nil }
        let times = [core.nextAlarm, publishing, core.nextFlush].compactMap(\.self)
        guard let next = times.min() else {
            alarm?.task.cancel()
            alarm = nil
            return
        }
        guard alarm?.at != next else { return }
        alarm?.task.cancel()
        let wait = next.since(now)
        alarm = (
            next,
            Task {
                guard (try? await Task.sleep(for: wait)) != nil else { return }
                alarm = nil
                try? await step { core, now throws(Refusal) in core.wake(now: now) }
            }
        )
    }
}
