import ChatCodec
import ChatDeliveryService
import ChatPlatform
import ChatTool

/// Lines on standard output, for people or for programs.
struct Log {
    let isJSON: Bool

    /// Says that clients may come.
    ///
    /// - Parameters:
    ///   - address: the relay's name.
    ///   - place: where it listens, `HOST:PORT`.
    func listening(on address: String, at place: String) {
        guard isJSON else { return write("listening on \(address)") }
        print("listening", [("address", .string(address)), ("place", .string(place))])
    }

    /// Says what the relay did so far.
    func statistics(_ statistics: RelayStatistics) {
        guard !isJSON else { return print("statistics", statistics.fields.map { ($0.name, .unsigned($0.value)) }) }
        write(statistics.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " "))
    }

    private func print(_ event: String, _ fields: [(String, JSON)]) {
        var object = JSON.Object()
        object["event"] = .string(event)
        for (name, value) in fields { object[name] = value }
        write(JSON.object(object).description)
    }

    /// Writes a line; the relay goes on without whoever reads them.
    private func write(_ line: String) {
        do throws(ErrorNumber) { try Terminal.write(line) } catch {
            Terminal.complain("chat-relay: standard output: \(error); the relay goes on")
        }
    }
}
