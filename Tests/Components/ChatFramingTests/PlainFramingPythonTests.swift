import ChatFraming
import ChatModel
import Foundation
import TestSupport
import Testing

private let python = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/python3" }.first(where: FileManager.default.isExecutableFile)

@Test(.enabled(if: python != nil, "python3 is not installed"), .timeLimit(.minutes(30)))
func `the ten lines of Python in the specification read and write the same bytes`() throws {
    let client = PlainFraming().listening([Listening("a", Route("convo-1"))], for: raya)
    let valid = try client.wrapped(Routed("a", Route("convo-1"), payload: [1, 2, 3]), in: turn()).payload.array
    var inputs: [[UInt8]] = []
    var hostile = HostileInputs(seed: 12, valid: [valid], longest: 16)
    hostile.forEach(2_000) { inputs.append($0) }

    let ours = inputs.map { bytes -> String in
        // Whoever the route belongs to, Python finds it: so every route that parses is listened for.
        guard bytes.count > 1, let route = String(bytes: bytes.dropFirst(2).prefix(Int(bytes[1])), encoding: .utf8),
            case .payload(let routed, _)? = try? client.listening([Listening("a", Route(route))], for: saro).unwrap(
                bytes)
        else { return "refused" }
        return "\(Array(routed.route.id.utf8).hex) \(routed.payload.array.hex)"
    }
    let theirs = try run(
        try #require(blocks(of: "plain-framing.md").first { $0.hasPrefix("python") }).dropFirst("python".count) + """

            import sys
            for line in sys.stdin:
                data = bytes.fromhex(line)
                try:
                    route, payload = unwrap(data)
                    print(route.encode().hex(), payload.hex() if wrap(route, payload) == data else "another form")
                except ValueError:
                    print("refused")
            """, input: inputs.map { $0.hex + "\n" }.joined())
    #expect(ours.contains("refused") && ours.count { $0 != "refused" } > 20)
    #expect(theirs == ours)
}

/// Runs a Python program and returns what it prints, line by line.
private func run(_ program: String, input: String) throws -> [String] {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let (source, stdin) = (directory.appendingPathComponent("plain.py"), directory.appendingPathComponent("input"))
    try program.write(to: source, atomically: true, encoding: .utf8)
    try input.write(to: stdin, atomically: true, encoding: .utf8)
    let output = directory.appendingPathComponent("output")
    let command = "'\(try #require(python))' '\(source.path)' <'\(stdin.path)' >'\(output.path)'"
    #expect(unsafe system(command) == 0)
    let data = try Data(contentsOf: output)
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
}
