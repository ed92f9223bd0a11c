import ChatDeliveryService
import ChatInspect
import ChatModel
import ChatPlatform
import ChatTool

/// Runs a relay until a signal ends it.
@main struct ChatRelay {
    static func main() {
        let options = RelayOptions.command.parseOrExit()
        if let warning = RelayOptions.warning(options) { Terminal.complain("chat-relay: \(warning)") }
        // Before the relay's thread starts, so that no signal is missed.
        guard let signals = Signals([.interrupt, .terminate, .user1]) else { fail("no pipe left for signals") }
        let relay = start(options)
        for note in RelayOptions.notes(options) { Terminal.complain("chat-relay: \(note)") }
        // Whoever does not read the log must not stop the relay from hearing signals.
        Terminal.stopWaitingForReader()
        let log = Log(isJSON: options[RelayOptions.json])
        log.listening(on: relay.address, at: relay.place)
        while signals.wait() == .user1 { log.statistics(relay.statistics) }
        log.statistics(relay.statistics)
        relay.close()
        ExitCode.success.exit()
    }

    /// Writes what passes where that is asked for.
    private static func tap(_ options: Options) -> DatagramTap? {
        guard let path = options[RelayOptions.capture] else { return nil }
        do throws(InputFailure) {
            let file = try CaptureOutput(path, beginning: Capture.header)
            return { file.append(Capture.block($0, at: CaptureOutput.now)) }
        } catch { fail("--capture: \(error)") }
    }

    private static func start(_ options: Options) -> UDPRelay {
        let (key, log): (KeyPair?, KeyLogFile?)
        do throws(KeyTrouble) { key = try RelayOptions.key(options) } catch { fail(error.words) }
        do throws(KeyLogTrouble) {
            log = try options[RelayOptions.keyLog].map { path throws(KeyLogTrouble) in try KeyLogFile(path) }
        } catch { fail("--key-log: \(error)") }
        do throws(DeliveryError) {
            return try UDPRelay(
                listen: options[RelayOptions.listen].text, limits: RelayOptions.limits(options), key: key,
                keyLog: log.map { log in HopKeyLog { log.append($0) } }, tap: tap(options))
        } catch { fail(error.description) }
    }

    private static func fail(_ reason: String) -> Never {
        Terminal.complain("chat-relay: \(reason)")
        ExitCode.failure.exit()
    }
}
