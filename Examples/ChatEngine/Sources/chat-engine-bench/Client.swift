import ArgumentParser
import AsyncHTTPClient
import Dispatch
import Foundation
import NIOCore
import NIOHTTP1

/// A client that has many streams at once, and prints as JSON how late their chunks came.
struct Client: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Ask for streams, and measure when their chunks come.")

    @Option(help: "What is asked.") var url: String
    @Option(help: "A bearer token.") var token = ""
    @Option(help: "Chunks of each stream.") var count: Int
    @Option(help: "Microseconds between two of them.") var pause: Int
    @Argument(help: "The sessions: a stream in each.") var sessions: [String]
    @Option(help: "How many streams at once; all of them where absent.") var atOnce: Int?
    @Option(help: "Go through the sessions again and again for so many seconds; once where absent.") var seconds: Int?

    func run() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100_000
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let begun = DispatchTime.now().uptimeNanoseconds
        let end = seconds.map { begun + UInt64($0) * 1_000_000_000 }
        let lanes = max(1, min(atOnce ?? sessions.count, sessions.count))
        let streams = try await withThrowingTaskGroup(of: [Times].self) { group in
            for first in 0..<lanes {
                group.addTask { try await times(from: first, by: lanes, until: end, http) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let took = Double(DispatchTime.now().uptimeNanoseconds - begun) / 1e9
        try await http.shutdown()
        let fields = [
            #""complete":\#(streams.count(where: \.isComplete))"#, #""seconds":\#(took)"#,
            #""chunks":\#(streams.reduce(0) { $0 + $1.late.count })"#, #""asked":\#(ranks(streams.map(\.asked)))"#,
            #""first":\#(ranks(streams.compactMap(\.late.first)))"#, #""chunk":\#(ranks(streams.flatMap(\.late)))"#,
        ]
        print("{\(fields.joined(separator: ","))}")
    }

    /// Streams one after another, in each of some sessions; again and again until a moment, if there is one.
    private func times(
        from first: Int, by step: Int, until end: UInt64?, _ http: HTTPClient
    ) async throws -> [Times] {
        var streams: [Times] = []
        repeat {
            for place in stride(from: first, to: sessions.count, by: step) {
                streams.append(try await times(of: sessions[place], http))
                if let end, DispatchTime.now().uptimeNanoseconds > end { return streams }
            }
        } while end != nil
        return streams
    }

    /// What was measured of one stream, in milliseconds.
    private struct Times: Sendable {
        /// From the request to the first chunk.
        var asked = 0.0
        /// For each chunk: since the backend wrote it.
        var late: [Double] = []
        var isComplete = false
    }

    private func times(of session: String, _ http: HTTPClient) async throws -> Times {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = ["Content-Type": "application/json", "Authorization": "Bearer \(token)"]
        request.body = .bytes(
            ByteBuffer(string: #"{"session_id":"\#(session)","content":"stream \#(count) \#(pause)"}"#))
        let begun = DispatchTime.now().uptimeNanoseconds
        let response = try await http.execute(request, deadline: .distantFuture)
        var (times, line, kept) = (Times(), [UInt8](), [UInt8]())
        for try await piece in response.body {
            let now = DispatchTime.now().uptimeNanoseconds
            for byte in piece.readableBytesView {
                guard byte == UInt8(ascii: "\n") else {
                    line.append(byte)
                    continue
                }
                if let written = Self.moment(line) {
                    if times.late.isEmpty { times.asked = Double(now - begun) / 1e6 }
                    times.late.append(Double(now - written) / 1e6)
                }
                (kept, line) = (line, [])
            }
        }
        times.isComplete = String(decoding: kept, as: UTF8.self).contains(#""type":"complete""#)
        return times
    }

    /// The moment that a chunk says: its only number of more than ten digits before a space.
    private static func moment(_ line: [UInt8]) -> UInt64? {
        guard let end = line.lastIndex(of: UInt8(ascii: " ")) else { return nil }
        let digits = line[..<end].reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return UInt64(String(decoding: digits.reversed(), as: UTF8.self))
    }

    /// The median and the 99th of a hundred.
    private func ranks(_ values: [Double]) -> [Double] {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return [0, 0] }
        return [sorted[sorted.count / 2], sorted[sorted.count * 99 / 100]]
    }
}
