package import ChatCodec
import ChatPlatform

/// A `chat-relay` on a free port of this machine.
package actor RelayProcess {
    /// The relay's name for peers.
    package nonisolated let address: String
    /// Where it listens: `HOST:PORT`.
    package nonisolated let place: String
    private let keyFile: String
    private let process: ChildProcess

    /// Starts a relay and waits until it listens.
    ///
    /// - Parameter old: a relay that has ended, whose place and key this one takes over.
    package init(
        in directory: String, after old: RelayProcess? = nil, arguments: [String] = []
    ) async throws(DriverError) {
        let path = directory + "/chat-relay"
        keyFile = old?.keyFile ?? "/tmp/chat-relay-\(UInt64.random(in: .min ... .max)).key"
        let process = try ChildProcess(
            path, ["--json", "--listen", old?.place ?? "127.0.0.1:0", "--key-file", keyFile] + arguments)
        self.process = process
        var lines = process.lines.makeAsyncIterator()
        guard let line = await lines.next(), let event = try? JSON(parsing: line), let own = event["address"]?.text,
            let place = event["place"]?.text
        else { throw DriverError("\(path) does not say where it listens") }
        (address, self.place) = (own, place)
    }

    deinit { try? FileCalls.remove(keyFile) }

    /// Ends the relay and gives its statistics.
    @discardableResult
    package func stop() async throws(DriverError) -> JSON {
        process.send(signal: 15)
        var last: JSON?
        for await line in process.lines { last = try? JSON(parsing: line) }
        _ = await process.wait()
        guard let last, last["event"] == "statistics" else { throw DriverError("the relay gave no statistics") }
        return last
    }
}
