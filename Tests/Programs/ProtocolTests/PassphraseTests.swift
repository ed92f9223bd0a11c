import ChatDriver
import Foundation
import Testing

/// The question for a passphrase at a terminal (PEER-17).
@Suite(
    .enabled(if: PeerStage.isBuilt, "chat-peer and chat-relay are not built beside the tests"),
    .timeLimit(.minutes(30)))
struct PassphraseTests {
    private func peer(_ stage: PeerStage) throws -> TerminalProgram {
        try TerminalProgram(
            "chat-peer", stage.arguments("saro", keeps: false) + ["--data", stage.directory + "/saro"])
    }

    @Test func `a new passphrase is typed twice, and never shown (PEER-17)`() async throws {
        let stage = try await PeerStage("links/inbox-v1/private-v1-libchat/udp/envelope-v1")
        let first = try peer(stage)
        #expect(await first.shows("new passphrase for"))
        first.type("correct horse\n")
        #expect(await first.shows("the same again: "))
        first.type("correct hrose\n")
        #expect(await first.shows("they differ"))
        #expect(!FileManager.default.fileExists(atPath: stage.directory + "/saro"))
        #expect(await first.shows("new passphrase for", times: 2))
        first.type("correct horse\n")
        #expect(await first.shows("the same again: ", times: 2))
        first.type("correct horse\n")
        #expect(await first.shows("your introduction"))
        first.type("/quit\n")
        #expect(await first.end() == 0)
        #expect(!first.screen.contains("horse"))
        let second = try peer(stage)
        #expect(await second.shows("passphrase for"))
        #expect(!second.screen.contains("new passphrase"))
        second.type("correct horse\n")
        #expect(await second.shows("your introduction"))
        second.type("/quit\n")
        #expect(await second.end() == 0)
        try await stage.end([])
    }

    @Test func `control-C ends the question, with the terminal as it was and nothing made (PEER-17)`() async throws {
        let stage = try await PeerStage("links/inbox-v1/private-v1-libchat/udp/envelope-v1")
        let saro = try peer(stage)
        #expect(await saro.shows("new passphrase for"))
        #expect(!saro.echoes)
        saro.type("corr\u{3}")
        #expect(await saro.end() == 1)
        #expect(saro.echoes)
        #expect(await saro.shows("interrupted; nothing was made"))
        #expect(!FileManager.default.fileExists(atPath: stage.directory + "/saro"))
        try await stage.end([])
    }
}
