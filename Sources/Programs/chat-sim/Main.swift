import ChatSimulator

/// `chat-sim`: runs scenarios in virtual time.
@main
enum Main {
    static func main() async { await SimulatorProgram.main() }
}
