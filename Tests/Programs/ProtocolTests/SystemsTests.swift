import ChatCodec
import ChatDriver
import Foundation
import TestSupport
import Testing

private func text(_ path: String) throws -> String {
    try String(contentsOf: Vectors.packageRoot.appendingPathComponent(path), encoding: .utf8)
}

/// What `chat-peer describe` says of a published system.
private func describe(_ system: String) async throws -> JSON {
    let child = try ChildProcess(Programs.directory + "/chat-peer", ["describe", "--system", system, "--json"])
    child.closeInput()
    var text = ""
    for await line in child.lines { text += line + "\n" }
    try #require(await child.wait() == 0)
    return try JSON(parsing: text.trimmingCharacters(in: .newlines))
}

@Test(.timeLimit(.minutes(10)), arguments: ["logos", "agent-chat", "chat-engine", "packet-stream"])
func `a published system is what README and its page say (FW-01)`(system: String) async throws {
    let described = try await describe(system)
    let name = try #require(described["suite"]?.text)
    let choices = try #require(described["choices"]?.list)
    #expect(choices.count == 5)
    let page = try text("Specs/systems.md")
    for choice in choices { #expect(page.contains("`\(choice["name"]?.text ?? "?")`"), "\(choice)") }
    // The row of the table, whose requirements are those of the components, and whose command is there.
    let row = try #require(
        try text("README.md").split(separator: "\n").first { $0.hasPrefix("|") && $0.contains("`\(name)`") })
    let claimed = Set(choices.flatMap { $0["claims"]?.list ?? [] }.compactMap { $0["requirement"]?.text })
    for match in row.matches(of: /\((?<rule>[A-Z0-9]+-[0-9]+)\)/) {
        #expect(claimed.contains(String(match.rule)), "\(match.rule)")
    }
    let command = try #require(row.firstMatch(of: /`make (?<target>[a-z-]+)`/))
    #expect(try text("Makefile").contains("\n\(command.target):"))
}
