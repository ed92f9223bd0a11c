import ChatCodec
import ChatDriver
import ChatPlatform
import Foundation
import Testing

/// Files that people name, and files that arrive on file systems of all kinds (PEER-10, PEER-16).
@Suite(
    .enabled(if: PeerStage.isBuilt, "chat-peer and chat-relay are not built beside the tests"),
    .timeLimit(.minutes(30)))
struct NamedFileTests {
    private static let suite = "links/inbox-v1/private-v1-libchat/udp/envelope-v1"

    /// Saro and Raya have a conversation.
    private func meet(
        _ environment: [String] = []
    ) async throws -> (PeerStage, saro: PeerProcess, raya: PeerProcess) {
        let stage = try await PeerStage(Self.suite)
        let saro = stage.peer("saro", keeps: false)
        let raya = PeerProcess(
            "raya", in: Programs.directory, arguments: stage.arguments("raya"),
            environment: currentEnvironment() + environment)
        try await raya.start()
        try await saro.start()
        let link = try await raya.introduction()
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": "0"])
        return (stage, saro, raya)
    }

    @Test func `a file is read to its end, and nothing but a file is sent (PEER-16)`() async throws {
        let (stage, saro, raya) = try await meet()
        let pipe = stage.directory + "/pipe"
        try #require(unsafe mkfifo(pipe, 0o600) == 0)
        for path in [pipe, "/dev/zero", "/dev/null", stage.directory, stage.directory + "/none"] {
            await #expect(throws: DriverError.self) { try await saro.ask(["do": "send-file", "path": .string(path)]) }
        }
        let link = stage.directory + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/proc/version")
        let version = try Data(contentsOf: URL(fileURLWithPath: "/proc/version"))
        for path in ["/proc/version", link] {
            let answer = try await saro.ask(["do": "send-file", "path": .string(path)])
            #expect(answer["size"]?.int == version.count)
        }
        let event = try await raya.event { $0["event"] == "file" && $0["name"] == "link" }
        let kept = try Data(contentsOf: URL(fileURLWithPath: event["path"]?.text ?? ""))
        #expect(kept == version)
        try await stage.end([saro, raya])
    }

    @Test func `a pipe in the downloads directory holds up nothing (PEER-10)`() async throws {
        let (stage, saro, raya) = try await meet()
        let downloads = stage.directory + "/raya/downloads"
        try FileManager.default.createDirectory(atPath: downloads, withIntermediateDirectories: true)
        try #require(unsafe mkfifo(downloads + "/version", 0o600) == 0)
        _ = try await saro.ask(["do": "send-file", "path": "/proc/version"])
        _ = try await saro.ask(["do": "send", "text": "1"])
        #expect(await raya.receives(2, within: .seconds(60)))
        let event = try await raya.event { $0["event"] == "file" }
        #expect(event["path"]?.text == downloads + "/version (2)")
        try await stage.end([saro, raya])
    }

    @Test func `files arrive where there are no hard links, long names or flushed directories (PEER-10)`() async throws
    {
        guard let library = try interposer() else { return print("peers: no clang; system errors were not injected") }
        defer { try? FileManager.default.removeItem(atPath: library) }
        let (stage, saro, raya) = try await meet(["LD_PRELOAD=\(library)"])
        let file = stage.directory + "/notes.txt"
        try Data("one".utf8).write(to: URL(fileURLWithPath: file))
        _ = try await saro.ask(["do": "send-file", "path": .string(file)])
        try Data("two".utf8).write(to: URL(fileURLWithPath: file))
        _ = try await saro.ask(["do": "send-file", "path": .string(file)])
        let long = stage.directory + "/" + String(repeating: "n", count: 150)
        try Data("three".utf8).write(to: URL(fileURLWithPath: long))
        _ = try await saro.ask(["do": "send-file", "path": .string(long)])
        _ = try await saro.ask(["do": "send", "text": "1"])
        #expect(await raya.receives(2, within: .seconds(60)))
        let paths = await raya.events.compactMap { $0["event"] == "file" ? $0["path"]?.text : nil }
        let names = paths.map { URL(fileURLWithPath: $0).lastPathComponent }
        #expect(names.prefix(2) == ["notes.txt", "notes (2).txt"])
        #expect(names.last?.hasPrefix("file-") == true)
        #expect(try paths.map { try String(contentsOfFile: $0, encoding: .utf8) } == ["one", "two", "three"])
        let rest = try FileManager.default.contentsOfDirectory(atPath: stage.directory + "/raya/downloads")
        #expect(rest.count == 3)
        try await stage.end([saro, raya])
    }

    @Test func `a downloads directory that is named keeps its mode, or ends the peer at once (PEER-10)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let open = stage.directory + "/open"
        try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: open)
        let command = #""$0/chat-peer" "$@""#
        let arguments = stage.arguments("raya", keeps: false)
        #expect(try await stage.shell(command, arguments + ["--downloads", open]).code == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: open)[.posixPermissions] as? Int
        #expect(mode == 0o755)
        let ended = try await stage.shell(command, arguments + ["--downloads", open + "/none/such"])
        #expect(ended.code == 3 && ended.text.contains("create the directory above it first"), "\(ended.text)")
        try await stage.end([])
    }

    @Test func `nothing is accepted once the data directory is gone (STORE-12)`() async throws {
        let (stage, saro, raya) = try await meet()
        #expect(await raya.receives(1, within: .seconds(60)))
        _ = try await raya.ask(["do": "send", "text": "1"])
        #expect(await saro.receives(1, within: .seconds(60)))
        try FileManager.default.removeItem(atPath: stage.directory + "/raya")
        await #expect(throws: DriverError.self) { try await raya.ask(["do": "send", "text": "2"]) }
        #expect(await saro.stop() == 0)
        _ = await raya.stop()
        try await stage.end([])
    }

    @Test func `a key may be a link, and a passphrase come through a pipe (PEER-16)`() async throws {
        let stage = try await PeerStage(Self.suite)
        try FileManager.default.createSymbolicLink(
            atPath: stage.directory + "/..data", withDestinationPath: stage.directory + "/key")
        let linked = ["--data", stage.directory + "/a", "--key-file", stage.directory + "/..data"]
        let plain = stage.arguments("raya", keeps: false)
        #expect(try await stage.shell(#""$0/chat-peer" "$@""#, plain + linked).code == 0)
        let piped = #""$0/chat-peer" "$@" --passphrase-file <(sleep 0.3; echo correct horse)"#
        for _ in 0..<2 {
            let ended = try await stage.shell(piped, plain + ["--data", stage.directory + "/b"])
            #expect(ended.code == 0, "\(ended.text)")
        }
        try await stage.end([])
    }

    /// A library that makes `link` answer EPERM, `fsync` EINVAL, and `open` ENAMETOOLONG for names of 150 and more.
    private func interposer() throws -> String? {
        let base = FileManager.default.temporaryDirectory.appendingPathComponent("interposer-\(UUID().uuidString)").path
        let source = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <fcntl.h>
            #include <stdarg.h>
            #include <string.h>
            static int long_name(const char *p) { const char *s = strrchr(p, '/'); return strlen(s ? s + 1 : p) >= 150; }
            int link(const char *a, const char *b) { errno = long_name(b) ? ENAMETOOLONG : EPERM; return -1; }
            int fsync(int f) { errno = EINVAL; return -1; }
            """
        try source.write(toFile: base + ".c", atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: base + ".c") }
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = ["clang", "-shared", "-fPIC", "-o", base + ".so", base + ".c"]
        try compiler.run()
        compiler.waitUntilExit()
        return compiler.terminationStatus == 0 ? base + ".so" : nil
    }
}
