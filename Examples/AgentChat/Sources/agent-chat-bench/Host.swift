import AgentChat
import AgentChatServer
import ArgumentParser
import Foundation

/// The process that is measured. It prints its port and its chats, and a line of usage for each line that it reads.
struct Host: AsyncParsableCommand {
    /// What is measured.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case service, echo
    }

    static let configuration = CommandConfiguration(shouldDisplay: false)

    @Argument var kind: Kind
    @Argument var sockets: Int
    @Argument var deltas: Int
    @Argument var nanoseconds: Int

    func run() async throws {
        FileLimit.raise(to: 2 * sockets + 256)
        switch kind {
        case .echo:
            let port = try await BareEcho.start()
            report(port, [])
        case .service:
            var limits = Limits()
            (limits.jobs, limits.sockets) = (sockets, 2 * sockets)
            let agent = Streamer(stream: Stream(sockets: sockets, deltas: deltas, pause: .nanoseconds(nanoseconds)))
            let house = try House(agent, limits: limits, log: Log { _ in })
            var chats: [String] = []
            for number in 0..<sockets {
                guard let chat = try await house.create(title: "\(number)") else { continue }
                chats.append(chat.id.text)
            }
            let server = try await Server.bind(house, port: 0, gate: Gate(token: nil))
            Task { try await server.run() }
            report(server.port, chats)
        }
    }

    /// Answers until the parent is gone.
    private func report(_ port: Int, _ chats: [String]) {
        say(([String(port)] + chats).joined(separator: " "))
        while readLine() != nil {
            let usage = Usage.now
            say("\(usage.processor) \(usage.memory)")
        }
    }

    private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}

/// Writes deltas of 32 bytes, each with the time at which it was written.
private struct Streamer: Agent {
    let stream: Stream

    func run(_ job: AgentJob) async throws {
        var next = ContinuousClock.now
        for _ in 0..<stream.deltas {
            try await job.say(Stamp.text())
            guard stream.pause > .zero else { continue }
            next += stream.pause
            try await Task.sleep(until: next)
        }
    }
}

/// A text of 32 bytes that says when it was made.
enum Stamp {
    private static let digits = 20

    /// `@`, nanoseconds, and words up to 32 bytes.
    static func text() -> String {
        let number = String(now)
        return "@" + String(repeating: "0", count: digits - number.count) + number + " on the sea"
    }

    /// How old a text in these bytes is, in microseconds; nil where there is none.
    static func age(in bytes: some Collection<UInt8>) -> UInt32? {
        guard let at = bytes.firstIndex(of: 0x40) else { return nil }
        var then: UInt64 = 0
        for byte in bytes[at...].dropFirst().prefix(digits) {
            guard (0x30...0x39).contains(byte) else { return nil }
            then = then &* 10 &+ UInt64(byte - 0x30)
        }
        return UInt32(clamping: (now &- then) / 1_000)
    }

    /// The system's clock that counts on in all processes.
    private static var now: UInt64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

/// What a process has used.
struct Usage {
    /// In seconds.
    let processor: Double
    /// Resident, in bytes.
    let memory: Int

    static var now: Usage {
        var usage = rusage()
        #if canImport(Darwin)
            _ = unsafe getrusage(RUSAGE_SELF, &usage)
        #else
            _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #endif
        let times = [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        let pages = fields.count > 1 ? Int(fields[1]) ?? 0 : 0
        return Usage(processor: times[0] + times[1], memory: pages * Int(getpagesize()))
    }
}
