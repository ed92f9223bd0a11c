import ChatCodec
import ChatModel
import GRPCCore
package import PacketStream
import Synchronization

/// A hub: runs, by namespace and name, that know nothing of each other.
package final class Hub: Sendable {
    private let settings: HubSettings
    private let gate: Gate
    private let log: Log
    private let runs = Mutex<[ExactText: HubRun]>([:])
    private let stopping = Atomic(false)
    private let refusedStarts = Atomic(0)

    package init(_ settings: HubSettings, gate: Gate, log: Log) {
        (self.settings, self.gate, self.log) = (settings, gate, log)
    }

    /// A stream begins: who it is from, once everything that it states was checked.
    func enter(_ metadata: GRPCCore.Metadata, from peer: String, port: PacketPort?) throws -> (HubRun, Session) {
        do {
            try gate.check(metadata)
            guard !stopping.load(ordering: .relaxed) else {
                throw RPCError(code: .unavailable, message: "the hub stops")
            }
            let version = Array(metadata[stringValues: PacketHandshake.protocolKey])
            do { try PacketHandshake().check(protocol: version.first) } catch { throw RPCError(error) }
            try Self.checkBinding(metadata)
            let name = try Self.text(metadata, StreamKey.namespace) + "/" + Self.text(metadata, StreamKey.run)
            let step = try Self.text(metadata, StreamKey.step)
            let connector = try Self.optionalText(metadata, StreamKey.connector) ?? peer
            let run = try run(name)
            return (run, try run.join(step, connector, port: port))
        } catch let error as RPCError {
            refusedStarts.add(1, ordering: .relaxed)
            log("start_refused", [("code", .string("\(error.code)")), ("why", .string(error.message))])
            throw error
        }
    }

    /// The binding is stated once, as namespace and name (section 8.1).
    private static func checkBinding(_ metadata: GRPCCore.Metadata) throws {
        let values = Array(metadata[stringValues: PacketHandshake.bindingKey])
        let parts = values.first?.split(separator: "/", omittingEmptySubsequences: false) ?? []
        guard values.count == 1, parts.count == 2,
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= PacketBinding.maximumText })
        else {
            throw RPCError(
                code: .invalidArgument,
                message: "the stream does not state \(PacketHandshake.bindingKey) once, as NAMESPACE/NAME")
        }
    }

    private static func text(_ metadata: GRPCCore.Metadata, _ key: String) throws -> String {
        guard let text = try optionalText(metadata, key) else {
            throw RPCError(code: .invalidArgument, message: "the stream does not state \(key)")
        }
        return text
    }

    private static func optionalText(_ metadata: GRPCCore.Metadata, _ key: String) throws -> String? {
        let values = Array(metadata[stringValues: key])
        guard let value = values.first else { return nil }
        guard values.count == 1, !value.isEmpty, value.unicodeScalars.count <= Bounds.maximumStream else {
            throw RPCError(
                code: .invalidArgument,
                message: "\(key) comes twice, is empty, or has more than \(Bounds.maximumStream) characters")
        }
        return value
    }

    private func run(_ name: String) throws -> HubRun {
        if let run = find(name) { return run }
        for (name, run) in runs.withLock({ $0 }) where run.closeIfIdle() {
            runs.withLock { if $0[name] === run { $0[name] = nil } }
        }
        if let run = find(name) { return run }
        throw RPCError(code: .resourceExhausted, message: "the hub has \(settings.maximumRuns) runs, none of them idle")
    }

    private func find(_ name: String) -> HubRun? {
        runs.withLock { runs in
            if let run = runs[ExactText(name)] { return run }
            guard runs.count < settings.maximumRuns else { return nil }
            let run = HubRun(name, settings, log)
            runs[ExactText(name)] = run
            return run
        }
    }

    /// Does what is due, until it is cancelled; writes statistics at intervals.
    package func watch(statistics interval: Duration?) async {
        var next = interval.map { ContinuousClock.now + $0 }
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            for run in runs.withLock({ Array($0.values) }) {
                run.tick()
            }
            if let interval, let due = next, due <= .now {
                logStatistics()
                next = .now + interval
            }
        }
    }

    /// A line for each step, and one for the hub.
    package func logStatistics() {
        var all = HubCounters()
        let runs = runs.withLock { Array($0.values) }
        for run in runs {
            for one in run.statistics {
                all.add(one.counters)
                guard !one.step.isEmpty else { continue }
                log(
                    "step_statistics",
                    [("run", .string(run.name)), ("step", .string(one.step))] + one.counters.json
                        + [("waiting", JSON(one.waiting)), ("unconfirmed", JSON(one.unconfirmed))])
            }
        }
        let starts = refusedStarts.load(ordering: .relaxed)
        log("statistics", [("runs", JSON(runs.count)), ("refused_starts", JSON(starts))] + all.json)
    }

    /// Ends all sessions, and takes no more.
    package func stop() {
        stopping.store(true, ordering: .relaxed)
        for run in runs.withLock({ Array($0.values) }) { run.stop() }
    }
}
