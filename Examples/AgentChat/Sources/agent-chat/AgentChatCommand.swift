import ArgumentParser

@main struct AgentChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent-chat", abstract: "A person talks to an agent, over a WebSocket.",
        subcommands: [Serve.self, Talk.self])
}
