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
        let relay: UDPRelay
        do throws(DeliveryError) {
            relay = try UDPRelay(
                listen: options[RelayOptions.listen].text, limits: RelayOptions.limits(options), tap: tap(options))
        } catch {
            fail(error.description)
        }
        // Whoever does not read the log must not stop the relay from hearing signals.
        Terminal.stopWaitingForReader()
        let log = Log(isJSON: options[RelayOptions.json])
        log.listening(on: relay.address)
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

    private static func fail(_ reason: String) -> Never {
        Terminal.complain("chat-relay: \(reason)")
        ExitCode.failure.exit()
    }
}
