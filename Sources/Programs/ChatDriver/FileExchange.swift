package import ChatCodec
import ChatPlatform

/// Two peers send each other a file at the same time, over a relay and through losses, and one of them is killed in
/// the middle and started again.
package struct FileExchange: Sendable {
    /// The files to send.
    package let saros, rayas: String
    private let directory: String
    private let arguments: [String]
    private let isKilled: Bool
    private let deadline: Duration

    /// Plans an exchange.
    ///
    /// - Parameters:
    ///   - saros: the path of the file that Saro sends.
    ///   - rayas: the same of Raya.
    ///   - directory: for what the peers keep; it is there, and stays.
    ///   - arguments: more for both peers, for example the losses.
    ///   - isKilled: whether Raya is killed in the middle.
    ///   - deadline: how long it may take.
    package init(
        saros: String, rayas: String, in directory: String, arguments: [String], isKilled: Bool = true,
        deadline: Duration = .seconds(240)
    ) {
        (self.saros, self.rayas, self.directory) = (saros, rayas, directory)
        (self.arguments, self.isKilled, self.deadline) = (arguments, isKilled, deadline)
    }

    /// What came of it.
    package struct Outcome: Sendable {
        /// Where the files are that arrived.
        package var atSaro, atRaya: String
        /// The composition.
        package var suite: String
        /// From sending to the last byte's arrival, and how long Raya was not there.
        package var time, away: Duration
        /// The relay's statistics.
        package var relay: JSON
    }

    /// Runs it and leaves no processes behind.
    package func run() async throws(DriverError) -> Outcome {
        let relay = try await RelayProcess(in: Programs.directory)
        let (saro, raya) = (peer("saro", relay), peer("raya", relay))
        let result: Result<Outcome, DriverError>
        do throws(DriverError) { result = .success(try await play(saro, raya)) } catch { result = .failure(error) }
        await saro.stop()
        await raya.stop()
        let statistics = try await relay.stop()
        var outcome = try result.get()
        outcome.relay = statistics
        return outcome
    }

    private func play(_ saro: PeerProcess, _ raya: PeerProcess) async throws(DriverError) -> Outcome {
        try await raya.start()
        try await saro.start()
        let ready = try await saro.event { $0["event"] == "ready" }
        let link = try await raya.introduction()
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": "a file follows"])
        _ = try await raya.event(within: deadline) { $0["event"] == "content" }
        let begin = ContinuousClock.now
        try await send(saros, by: saro)
        try await send(rayas, by: raya)
        var away = Duration.zero
        if isKilled {
            _ = try await raya.event(within: deadline) { $0["event"] == "progress" && $0["received"] != nil }
            await raya.kill()
            let cut = ContinuousClock.now
            try await raya.start()
            _ = try await raya.event { $0["event"] == "ready" }
            away = cut.duration(to: .now)
        }
        let (atRaya, atSaro) = (try await arrival(at: raya), try await arrival(at: saro))
        let time = begin.duration(to: .now)
        return Outcome(
            atSaro: atSaro, atRaya: atRaya, suite: ready["suite"]?.text ?? "", time: time, away: away, relay: .null)
    }

    private func send(_ path: String, by peer: PeerProcess) async throws(DriverError) {
        _ = try await peer.ask(["do": "send-file", "path": .string(path)], within: deadline)
    }

    private func arrival(at peer: PeerProcess) async throws(DriverError) -> String {
        let event = try await peer.event(within: deadline) { $0["event"] == "file" }
        guard let path = event["path"]?.text else { throw DriverError("\(peer.name) did not keep the file") }
        return path
    }

    private func peer(_ name: String, _ relay: RelayProcess) -> PeerProcess {
        PeerProcess(
            name, in: Programs.directory,
            arguments: ["--relay", relay.address, "--data", "\(directory)/\(name)"] + arguments,
            environment: currentEnvironment() + ["CHAT_PASSPHRASE=the passphrase of \(name)"])
    }
}
