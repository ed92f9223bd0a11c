import ChatModel

// What a composition can be asked for, by what it claims.
extension Scenario {
    /// Whether a process may start again, so that it needs what it stored.
    var needsDisks: Bool { disturbances.crashes.count + disturbances.offs.count + disturbances.rollbacks.count > 0 }

    /// Whether the service and the network may lose a payload for good.
    var mayLose: Bool {
        let links = [network.link] + network.exceptions.map(\.link)
        guard links.allSatisfy({ $0.loss == 0 && $0.corruption == 0 }) else { return true }
        let plan = disturbances
        guard plan.outages.count + plan.rollbacks.count + plan.replacements.count + reusedLinks == 0 else {
            return true
        }
        let isAway = plan.absences.count + plan.crashes.count + plan.partitions.count + plan.offs.count > 0
        guard isAway else { return disturbances.pauses.count > 0 && service.limits.retention == nil }
        // What comes to who is away for longer than anything is kept is lost.
        let away = [plan.absences, plan.crashes, plan.partitions, plan.offs].filter { $0.count > 0 }.map(
            \.time.upperBound)
        if let kept = service.limits.retention?.age, away.contains(where: { $0 >= kept }) { return true }
        // A payload that was overtaken is lost with the connection, though the cursor is past it.
        return service.limits.retention == nil || links.contains { $0.reordering > 0 }
    }

    /// Whether a payload may arrive twice.
    var mayRepeat: Bool {
        let links = [network.link] + network.exceptions.map(\.link)
        return links.contains { $0.duplication > 0 } || needsDisks || disturbances.intrusions.count > 0
            || (disturbances.absences.count + disturbances.partitions.count > 0 && service.limits.retention != nil)
    }

    /// Whether payloads may overtake each other.
    var mayReorder: Bool {
        disturbances.intrusions.count > 0
            || ([network.link] + network.exceptions.map(\.link)).contains { $0.reordering > 0 || $0.duplication > 0 }
    }

    /// The scenario without what a composition does not claim to stand.
    ///
    /// Types without integrity cannot notice that a payload was changed, so nothing is changed for them;
    /// an initialization that does not send invites again has them arrive.
    func adjusted(to composition: Composition) -> Scenario {
        var scenario = self
        if !composition.conversationClaims(.integrity) {
            scenario.network.link.corruption = 0
            for index in scenario.network.exceptions.indices { scenario.network.exceptions[index].link.corruption = 0 }
            scenario.disturbances.intrusions.count = 0
        }
        if !composition.initializationClaims(.lossRecovery) { scenario.calmStart = true }
        scenario.liars = composition.liar == nil ? 0 : min(scenario.liars, scenario.peers)
        return scenario
    }
}

extension [any Invariant] {
    /// What holds for a composition in a scenario, as far as it claims anything.
    static func applicable(to composition: Composition, in scenario: Scenario) -> [any Invariant] {
        let recovers = composition.conversationClaims(.lossRecovery)
        var all: [any Invariant] = [NothingInvented(), HonestStatus(), BoundedMemory(scenario.bounds)]
        if recovers || !scenario.mayLose {
            let (healing, contact) = (scenario.bounds.healing, scenario.bounds.firstContact)
            all.append(
                NothingLost(
                    mayFail: scenario.mayFail, healing: VirtualTime(healing), firstContact: VirtualTime(contact)))
        }
        if composition.conversationClaims(.replayProtection) || !scenario.mayRepeat { all.append(NothingTwice()) }
        if composition.conversationClaims(.causalOrder) { all.append(CausalOrder()) }
        if composition.order != nil { all.append(EqualLogs()) }
        // A device that is set back uses again the keys that it has forgotten to have used.
        if let uses = composition.keyUses, scenario.disturbances.rollbacks.count == 0 { all.append(KeysUsedOnce(uses)) }
        if scenario.idling > .zero {
            all.append(QuietWhenIdle(scenario.bounds.idlePayloads, inVain: scenario.bounds.vainPayloads))
        }
        return all
    }
}
