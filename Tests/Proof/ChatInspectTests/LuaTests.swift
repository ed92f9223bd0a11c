import ChatCodec
import ChatDeliveryService
import ChatModel
import Foundation
import TestSupport
import Testing

@testable import ChatInspect

private let tshark: URL? = ["/usr/bin/tshark", "/usr/local/bin/tshark"].map { URL(fileURLWithPath: $0) }
    .first { FileManager.default.isExecutableFile(atPath: $0.path) }

private func names(_ layout: RelayLayout) -> [String] { layout.fields.map(\.name) }

struct LuaTests {
    @Test func `the tables name the fields that the inspector reads`() throws {
        var seen: Set<String> = []
        func check(_ node: DissectionNode) {
            if node.parts.first?.name == "code", case .number(let code) = node.parts[0].value,
                let layout = RelayLayout.messages.first(where: { $0.code == Int(code) })
            {
                seen.insert(layout.name)
                let read = node.parts.dropFirst().map { String($0.name.prefix { $0 != ":" }) }
                let fields = names(layout).filter { !$0.isEmpty }
                #expect(read.enumerated().allSatisfy { $1 == fields[$0 % fields.count] }, "\(layout.name): \(read)")
            }
            node.parts.forEach(check)
        }
        for bytes in try relayDatagrams() {
            let tree = Inspector().inspect(Bytes(bytes), as: .datagram)
            check(tree)
            let kind = try #require(RelayLayout.datagrams.first { $0.code == Int(bytes[1]) })
            let read = tree.parts.dropFirst(3).map(\.name)
            seen.insert(kind.name)
            guard kind.name != "DATA" else { continue }
            #expect(read.elementsEqual(names(kind).prefix(read.count)), "\(kind.name): \(read)")
        }
        #expect(
            seen.isSuperset(of: ["HELLO", "CHALLENGE", "WELCOME", "RESET", "DATA", "PUBLISH", "DELIVER", "RESULTS"]))
    }

    @Test(.enabled(if: tshark != nil, "tshark is not installed"), .timeLimit(.minutes(10)))
    func `Wireshark reads captures with the dissector as the inspector does`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lua-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (client, relay) = (
            NetworkAddress(v4: 0x7F00_0001, port: 40_000), NetworkAddress(v4: 0x7F00_0001, port: 9_220)
        )
        let all = try relayDatagrams()
        // Whatever the bytes are, the script ends.
        var hostile = HostileInputs(seed: 14, valid: all)
        let seen = (all + (0..<500).map { _ in hostile.next() }).map { SeenDatagram($0, from: client, to: relay) }
        let capture = seen.reduce(Capture.header) { $0 + Capture.block($1, at: 1_000_000) }
        try Data(capture).write(to: folder.appendingPathComponent("a.pcapng"))
        try Data(LuaDissector.text.utf8).write(to: folder.appendingPathComponent("chat.lua"))
        let (process, output) = (Process(), Pipe())
        process.executableURL = tshark
        process.currentDirectoryURL = folder
        process.arguments = [
            "-X", "lua_script:chat.lua", "-r", "a.pcapng", "-T", "fields", "-e", "udp.checksum.status", "-e",
            "_ws.col.Info", "-e", "_ws.lua.text", "-o", "udp.check_checksum:TRUE",
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.split(separator: "\t") }
        try #require(lines.count >= seen.count)
        for (index, one) in try CaptureFile(capture).datagrams.prefix(all.count).enumerated() {
            #expect(lines[index].first == "1", "the checksum of \(index)")
            let words = try #require(lines[index].dropFirst().first)
            let kind = RelayLayout.datagrams.first { $0.code == Int(one.bytes[1]) }?.name ?? ""
            #expect(words.hasPrefix(kind), "\(index): \(words)")
        }
        #expect(!text.contains("Lua Error"), "\(text.split(separator: "\n").first { $0.contains("Lua Error") } ?? "")")
        for word in ["DATA PUBLISH", "DATA DELIVER", "ACK"] { #expect(text.contains(word), "\(word)") }
    }
}
