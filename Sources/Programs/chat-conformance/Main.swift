import ChatConformanceRunner

/// `chat-conformance`: runs the conformance suites of this package's components, by name.
@main
enum Main {
    static func main() async { await ConformanceProgram.main() }
}
