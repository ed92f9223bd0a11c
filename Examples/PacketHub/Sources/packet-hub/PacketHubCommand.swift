import ArgumentParser
import Foundation
import PacketHubKit

@main struct PacketHubCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "packet-hub", abstract: "Steps exchange streaming packets through a hub.",
        discussion: """
            Exit codes: 0 the end was asked for; 2 it could not start (a file, a port, an option); 3 the hub refused the \
            step, and would again; 4 the hub could not be reached in all tries; 64 wrong usage.
            """,
        subcommands: [Serve.self, StepCommand.self, BenchCommand.self])
}

/// Ends the program with a word on standard error.
func fail(_ error: any Error, code: Int32) -> ExitCode {
    FileHandle.standardError.write(Data("packet-hub: \(error)\n".utf8))
    return ExitCode(code)
}

/// Refuses a number that an option does not take, and says which it takes.
func checkNumber(_ option: String, _ number: Int, _ range: ClosedRange<Int>) throws {
    guard range.contains(number) else {
        throw SetupError("\(option) \(number): give a number from \(range.lowerBound) to \(range.upperBound)")
    }
}

/// SIGTERM and SIGINT, the first of which ends the program cleanly.
func stopSignals() -> AsyncStream<Void> {
    let (stream, feed) = AsyncStream<Void>.makeStream()
    for number in [SIGTERM, SIGINT] {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            feed.yield()
            source.cancel()
        }
        source.resume()
    }
    return stream
}
