import ChatDriver
import Foundation

/// How a program ended, and what it printed.
struct Ended {
    /// Its exit code, or 128 and the signal that ended it.
    let code: Int32
    /// Its standard output, line by line.
    let lines: [String]
    /// Its standard error.
    let errors: String

    /// Its standard output as one text.
    var output: String { lines.map { $0 + "\n" }.joined() }
}

/// Runs a program to its end, without holding up a thread that other tests wait for.
///
/// - Parameters:
///   - program: the name of a program of this package, or one of the search path.
///   - input: its whole standard input.
///   - signals: what it is sent, one after each line that it prints.
///   - limit: when it is killed, so that the test fails instead of standing still.
func runToEnd(
    _ program: String, _ arguments: [String] = [], input: String = "", signals: [Int32] = [],
    limit: Duration = .seconds(600)
) async throws -> Ended {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (read, complaints) = (folder.appendingPathComponent("input"), folder.appendingPathComponent("errors"))
    try Data(input.utf8).write(to: read)
    let child = try ChildProcess(
        "/bin/sh",
        ["-c", #"input=$0 errors=$1; shift; exec "$@" <"$input" 2>"$errors""#, read.path, complaints.path]
            + ["env", "PATH=\(Programs.directory):/usr/bin:/bin", program] + arguments)
    let guardian = Task {
        try await Task.sleep(for: limit)
        child.send(signal: SIGKILL)
    }
    defer { guardian.cancel() }
    var (lines, unsent) = ([String](), signals[...])
    for await line in child.lines {
        lines.append(line)
        if let signal = unsent.popFirst() { child.send(signal: signal) }
    }
    return Ended(
        code: await child.wait(), lines: lines, errors: try String(contentsOf: complaints, encoding: .utf8))
}
