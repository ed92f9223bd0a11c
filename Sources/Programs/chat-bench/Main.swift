import ChatBench

/// `chat-bench`: the program with the components of this package.
@main
enum Main {
    static func main() async throws { try await BenchProgram.main() }
}
