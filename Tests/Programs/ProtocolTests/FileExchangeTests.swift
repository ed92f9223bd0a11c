import ChatCodec
import ChatDriver
import ChatModel
import Foundation
import TestSupport
import Testing

/// A directory that is gone after the test, with files of seeded bytes.
private final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("files-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, bytes count: Int, seed: UInt64) throws -> String {
        var random = SplitMix64(seed: seed)
        let words = (0..<(count + 7) / 8).map { _ in random.next() }
        let bytes = unsafe words.withUnsafeBytes { unsafe Data($0) }.prefix(count)
        try bytes.write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}

private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

@Suite(
    .enabled(
        if: Programs.has("chat-peer") && Programs.has("chat-relay"),
        "chat-peer and chat-relay are not built beside the tests"), .timeLimit(.minutes(30)))
struct FileExchangeTests {
    @Test func `5 MiB both ways through 30 percent loss are complete although one is killed (PV1-09, PEER-9)`()
        async throws
    {
        let folder = try Folder()
        let (saros, rayas) = (
            try folder.file("saros.bin", bytes: 5 << 20, seed: 1), try folder.file("rayas.bin", bytes: 5 << 20, seed: 2)
        )
        let outcome = try await FileExchange(
            saros: saros, rayas: rayas, in: folder.path, arguments: ["--loss", "30", "--seed", "1"],
            deadline: .seconds(240)
        ).run()
        print("two files of 5 MiB through losses, with a restart: \(outcome.time)")
        #expect(outcome.suite == "links/inbox-v1/private-v1/udp/envelope-v1")
        #expect(try bytes(outcome.atRaya) == bytes(saros))
        #expect(try bytes(outcome.atSaro) == bytes(rayas))
        #expect(outcome.atRaya == "\(folder.path)/raya/downloads/saros.bin")
        // About half of what each peer publishes is lost: something must have been sent again.
        #expect((outcome.relay["published"]?.int ?? 0) > 2 * 52 * 4 / 3)
    }

    @Test func `nothing is overwritten, hostile names stay inside, and what cannot be sent says what to do (PEER-10)`()
        async throws
    {
        let folder = try Folder()
        let relay = try await RelayProcess(in: Programs.directory)
        func peer(_ name: String, _ more: [String] = []) -> PeerProcess {
            PeerProcess(name, in: Programs.directory, arguments: ["--relay", relay.address] + more)
        }
        let (saro, raya) = (peer("saro"), peer("raya", ["--downloads", "\(folder.path)/down"]))
        try await raya.start()
        try await saro.start()
        let link = try await raya.introduction()
        // The first content is a file and travels in the invite.
        _ = try await saro.ask(["do": "connect", "link": .string(link)])
        var expected: [String: Data] = [:]
        for (index, (name, kept)) in [
            ("notes.txt", "notes.txt"), ("..\\notes.txt", "notes (2).txt"), ("-rf", "_rf"), (".profile", "profile"),
            ("evil\u{202E}gpj.exe", "evilgpj.exe"),
        ].enumerated() {
            let path = try folder.file(name, bytes: 3_000 + index, seed: UInt64(index))
            let answer = try await saro.ask(["do": "send-file", "path": .string(path)])
            #expect(answer["file"]?.text == name && answer["size"]?.int == 3_000 + index)
            expected[kept] = try bytes(path)
        }
        // The same file again is the same file.
        _ = try await saro.ask(["do": "send-file", "path": .string("\(folder.path)/notes.txt")])
        _ = try await saro.ask(["do": "send", "text": "that is all"])
        #expect(await raya.receives(1, within: .seconds(60)))
        for (name, data) in expected { #expect(try bytes("\(folder.path)/down/\(name)") == data, "\(name)") }
        let there = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/down")
        #expect(Set(there) == Set(expected.keys))

        let large = "\(folder.path)/large"
        #expect(FileManager.default.createFile(atPath: large, contents: nil))
        let isLarge = unsafe truncate(large, 255 * 102_400 + 1) == 0
        #expect(isLarge)
        for (path, code, words) in [
            (large, "file_too_large", "split -b"), ("\(folder.path)/none", "file", "there is no file"),
            (folder.path, "file", "directory"),
        ] {
            await #expect { _ = try await saro.ask(["do": "send-file", "path": .string(path)]) } throws: { error in
                "\(error)".contains("\"code\":\"\(code)\"") && "\(error)".contains(words)
            }
        }
        // A peer that has no place for files says so and goes on.
        _ = try await raya.ask(["do": "send-file", "path": .string("\(folder.path)/notes.txt")])
        let shown = try await saro.event { $0["event"] == "file" }
        #expect(shown["name"] == "notes.txt" && shown["path"] == .null)
        for peer in [saro, raya] { #expect(await peer.stop() == 0) }
        try await relay.stop()
    }
}
