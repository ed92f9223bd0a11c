import Foundation

/// A host as the crowd sees it.
final class HostProcess {
    private let process = Process()
    private let (input, output) = (Pipe(), Pipe())
    private var pending = Data()
    let port: Int
    let chats: [String]

    struct Failed: Error {}

    init(_ kind: Host.Kind, _ stream: Stream) throws {
        let nanoseconds = Int(stream.pause / .nanoseconds(1))
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["host", kind.rawValue, "\(stream.sockets)", "\(stream.deltas)", "\(nanoseconds)"]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        var first = Data()
        let words = try Self.line(output.fileHandleForReading, &first).split(separator: " ").map(String.init)
        guard let word = words.first, let port = Int(word) else { throw Failed() }
        (self.port, chats, pending) = (port, Array(words.dropFirst()), first)
    }

    func usage() throws -> Usage {
        try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
        let words = try Self.line(output.fileHandleForReading, &pending).split(separator: " ")
        guard words.count == 2, let processor = Double(words[0]), let memory = Int(words[1]) else { throw Failed() }
        return Usage(processor: processor, memory: memory)
    }

    func end() {
        process.terminate()
        process.waitUntilExit()
    }

    private static func line(_ handle: FileHandle, _ pending: inout Data) throws -> String {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                defer { pending = Data(pending[pending.index(after: end)...]) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            let more = handle.availableData
            guard !more.isEmpty else { throw Failed() }
            pending += more
        }
    }
}
