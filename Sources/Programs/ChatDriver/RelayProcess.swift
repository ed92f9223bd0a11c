package import ChatCodec

/// A `chat-relay` on a free port of this machine.
package actor RelayProcess {
    /// `HOST:PORT` for peers.
    package nonisolated let address: String
    private let process: ChildProcess

    /// Starts a relay and waits until it listens.
    ///
    /// - Parameter address: port 0 lets the system choose.
    package init(
        in directory: String, listen address: String = "127.0.0.1:0", arguments: [String] = []
    ) async throws(DriverError) {
        let path = directory + "/chat-relay"
        let process = try ChildProcess(path, ["--json", "--listen", address] + arguments)
        self.process = process
        var lines = process.lines.makeAsyncIterator()
        guard let line = await lines.next(), let event = try? JSON(parsing: line), let own = event["address"]?.text
        else { throw DriverError("\(path) does not say where it listens") }
        self.address = own
    }

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
