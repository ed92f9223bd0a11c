import ChatCodec
import ChatDriver

/// Two peers send each other a file through losses.
struct FileDemo {
    private let bytes, loss: Int
    private let outcome: FileExchange.Outcome
    private let isKilled: Bool
    /// Whether each file arrived byte for byte.
    let isComplete: Bool

    /// Makes the files, has them exchanged and compares them; leaves neither processes nor files behind.
    static func run(
        bytes: Int, loss: Int, seed: Int, isKilled: Bool, choices: [String]
    ) async throws(DriverError) -> FileDemo {
        let directory = try Files.temporaryDirectory()
        let (saros, rayas) = ("\(directory)/from-saro", "\(directory)/from-raya")
        defer {
            for path in [saros, rayas, "\(directory)/saro/downloads", "\(directory)/raya/downloads"] {
                Files.remove(path, with: ["from-saro", "from-raya"])
            }
            Files.removeDirectory(directory, peers: ["saro", "raya"])
        }
        for path in [saros, rayas] { try Files.makeFile(path, bytes: bytes) }
        let exchange = FileExchange(
            saros: saros, rayas: rayas, in: directory,
            arguments: ["--loss", "\(loss)", "--seed", "\(seed)"] + choices, isKilled: isKilled)
        let outcome = try await exchange.run()
        let (sent, back) = (try Files.bytes(of: saros), try Files.bytes(of: rayas))
        let (atRaya, atSaro) = (try Files.bytes(of: outcome.atRaya), try Files.bytes(of: outcome.atSaro))
        let isComplete = sent == atRaya && back == atSaro
        return FileDemo(bytes: bytes, loss: loss, outcome: outcome, isKilled: isKilled, isComplete: isComplete)
    }

    /// The choices and the numbers.
    var summary: String {
        let relay = outcome.relay
        func count(_ name: String) -> Int { relay[name]?.int ?? 0 }
        let restart = isKilled ? ", raya killed (kill -9) in the middle and started again" : ""
        return Summary.of(
            outcome.suite,
            [
                ("files", "\(bytes) bytes each, both ways at once\(restart)"),
                ("complete", isComplete ? "both, byte for byte" : "no"),
                ("lost on purpose", "\(loss) of 100 payloads, by each peer and in both directions"),
                ("payloads", "\(count("published")) taken by the relay, \(count("delivered")) delivered"),
                ("on the wire", "\(count("bytes_in")) bytes to the relay, \(count("bytes_out")) from it"),
                (
                    "time",
                    "\(Summary.milliseconds(outcome.time)) ms, \(Summary.milliseconds(outcome.away)) ms of them without raya"
                ),
            ])
    }
}
