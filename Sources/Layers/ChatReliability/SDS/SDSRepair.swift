import ChatCrypto
import ChatModel

/// Who asks for a missing message when, and who answers when (SDS-R).
///
/// The document leaves the hash open; this is the first eight bytes, big-endian, of SHA-256 over the
/// joined texts. Ids that are joined MUST be of one length, or none the beginning of another: else
/// two pairs could give the same text.
package enum SDSRepair {
    package static func hash(_ identifiers: [Identifier]) -> UInt64 {
        let text = [UInt8](capacity: identifiers.reduce(0) { $0 + $1.count }) { output in
            for identifier in identifiers { identifier.write(to: &output) }
        }
        return SHA256.hash(text.span).prefix(8).bigEndian
    }

    /// How long a participant waits before it asks for a message, in milliseconds.
    package static func requestDelay(_ participant: Identifier, _ id: Identifier, shortest: UInt64, longest: UInt64)
        -> UInt64
    {
        guard longest > shortest else { return shortest }
        return hash([participant, id]) % (longest - shortest) + shortest
    }

    /// How long a participant waits before it sends a message of a sender again, in milliseconds; the sender does not.
    package static func answerDelay(_ participant: Identifier, _ sender: Identifier, _ id: Identifier, longest: UInt64)
        -> UInt64
    {
        guard longest > 0 else { return 0 }
        let distance = (hash([participant]) ^ hash([sender])) % longest
        let (high, low) = distance.multipliedFullWidth(by: hash([id]) % longest)
        return longest.dividingFullWidth((high, low)).remainder
    }

    /// How many groups of participants there are of which one answers.
    package static func groups(participants: Int) -> UInt64 { UInt64(max(0, participants) / 128 + 1) }

    /// Whether a participant is in the group that answers for a message of a sender.
    package static func answers(_ participant: Identifier, for sender: Identifier, _ id: Identifier, groups: UInt64)
        -> Bool
    {
        hash([participant, id]) % groups == hash([sender, id]) % groups
    }
}

extension SDSChannel {
    /// When a missing message is first asked for; nil for never.
    func requestTime(_ id: Identifier, now: Timestamp) -> Timestamp? {
        guard settings.repair != nil else { return nil }
        let shortest = times.repairShortest
        if shortest == times.repairLongest, shortest > 0 {
            // Where everybody waits equally long, what is noticed together is asked for together.
            let (steps, rest) = now.later(by: shortest).milliseconds.quotientAndRemainder(dividingBy: shortest)
            return Timestamp(milliseconds: (steps &+ (rest == 0 ? 0 : 1)) &* shortest)
        }
        return now.later(
            by: SDSRepair.requestDelay(
                participant, id, shortest: times.repairShortest, longest: times.repairLongest))
    }

    /// The requests that go with a message sent now, beside so many other entries.
    mutating func repairRequests(now: Timestamp, besides others: Int) -> [SDSMessage.HistoryEntry] {
        guard let repair = settings.repair, !incoming.missing.isEmpty else { return [] }
        return incoming.dueRequests(now, limit: others > 0 ? max(1, repair.requests - others) : repair.requests)
    }

    /// Some were sent.
    mutating func didRequest(_ requests: [SDSMessage.HistoryEntry], now: Timestamp) {
        let times = times
        // Who was heard a moment ago is there, and will answer once a request gets through.
        let isThere = outgoing.heard.map { now < $0.later(by: times.resendFirst &* 4) } ?? false
        let longest = isThere ? times.resendFirst : times.askLongest
        for request in requests {
            incoming.didRequest(request.id) { missing in
                now.later(by: min(times.repairLongest.doubled(missing.tries), longest))
            }
        }
    }

    /// Answers requests of another participant, or plans to; never more than a message may make, nor in a second.
    mutating func answer(_ requests: [SDSMessage.HistoryEntry], in step: inout SDSStep) {
        guard let repair = settings.repair else { return }
        let now = step.now
        for request in requests.prefix(max(repair.requests, settings.limits.burst)) {
            // Another participant asked too: the answer goes to all.
            incoming.postponeRequest(request.id, to: now.later(by: times.repairLongest))
            if let own = outgoing[request.id] {
                // Asked for, it waits for nothing; but twice in a second is once.
                if let resentAt = own.resentAt, now < resentAt.later(by: 1_000) { continue }
                guard pace.mayAnswer(now, limit: 8 * settings.limits.burst) else { continue }
                sendAgain(request.id, own.bytes, in: &step)
                continue
            }
            if isGone(request), pace.mayAnswer(now, limit: 8 * settings.limits.burst) {
                gone.insert(request.id)
                sync.owe(now, isNew: false, isGroup: false)
                continue
            }
            guard let sender = log.entry(request.id)?.sender, kept[request.id] != nil else { continue }
            guard sender == participant || repair.answersForOthers,
                SDSRepair.answers(
                    participant, for: sender, request.id, groups: SDSRepair.groups(participants: participants))
            else { continue }
            let delay = SDSRepair.answerDelay(participant, sender, request.id, longest: times.repairLongest)
            kept.plan(request.id, at: now.later(by: delay), now: now, pause: times.resendFirst)
        }
    }
}
