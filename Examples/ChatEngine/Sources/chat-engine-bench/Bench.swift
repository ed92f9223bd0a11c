import ArgumentParser

/// The parts of `make chat-engine-bench`, each a process of its own; `Tools/bench.py` starts them and compares.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat-engine-bench", abstract: "The parts of a measurement of the engine.",
        subcommands: [Backend.self, Proxy.self, Client.self])
}
