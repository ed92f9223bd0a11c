import ChatConformance
import ChatModel
import Foundation
import SixthTrial
import SixthVariant
import Testing

/// An empty folder for one test.
private func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sixth-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}

@Test(.timeLimit(.minutes(5))) func `each component passes its conformance suite`() async throws {
    let reports = try await withFolder { folder in try await Suites.run(in: folder) }
    #expect(reports.count == 6)
    for report in reports {
        print(report)
        #expect(report.isPassed, "\(report)")
    }
}

@Test(.timeLimit(.minutes(5)), arguments: Mix.all)
func `all 48 mixes with the built-in components talk, also after a restart`(mix: Mix) async throws {
    let cost = try await withFolder { folder in try await Trial(in: folder).run(mix) }
    #expect(cost.firstContact > 64 && cost.perContent > 64)
}

@Test(.timeLimit(.minutes(5))) func `a text file with rubbish in it still finds who is in it`() async throws {
    try await withFolder { folder in
        let path = "\(folder)/people.txt"
        let rubbish = "no entry\n\t\t\t\t\nraya\tphrase_1\tnohex\t-\tonce\nraya\tphrase_1\t00\t-\tnever\n"
        try Data(rubbish.utf8).write(to: URL(fileURLWithPath: path))
        let file = TextFileDiscovery(file: path)
        await #expect(throws: DiscoveryError.notFound("raya")) { try await file.find("raya") }
        let bundle = IntroductionBundle(
            scheme: "phrase_1", bytes: [1, 2], expiry: Timestamp(milliseconds: 9), isSingleUse: true)
        #expect(try await file.publish([bundle], as: "raya") == ["raya"])
        var answers = try await file.find("raya").makeAsyncIterator()
        #expect(try await answers.next()?.first?.bundles == [bundle])
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("no entry\n"), "others' lines are kept")
    }
}

@Test(.timeLimit(.minutes(5))) func `many writers lose no line of the text file`() async throws {
    try await withFolder { folder in
        let path = "\(folder)/people.txt"
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                group.addTask {
                    let bundle = IntroductionBundle(scheme: "x_1", bytes: [UInt8(number)])
                    _ = try await TextFileDiscovery(file: path).publish([bundle], as: "person-\(number)")
                }
            }
            try await group.waitForAll()
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 20)
    }
}

@Test(.timeLimit(.minutes(5))) func `files in a folder that are none of ours are passed over`() async throws {
    try await withFolder { folder in
        let service = try FolderDelivery(folder: folder)
        let mailbox = Mailbox()
        try await service.subscribe(["here": .earliest], into: mailbox)
        _ = await service.publish([Addressed("here", payload: [1])])
        let address = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
        try Data([9]).write(to: URL(fileURLWithPath: "\(folder)/\(address)/2"))
        try Data([0xff, 0xff, 1]).write(to: URL(fileURLWithPath: "\(folder)/\(address)/3"))
        for name in ["notes.txt", "\(Int.max)", "-4", "007"] {
            try Data().write(to: URL(fileURLWithPath: "\(folder)/\(address)/\(name)"))
        }
        _ = await service.publish([Addressed("here", payload: [2])])
        var found: [Bytes] = []
        while found.count < 2, let batch = await mailbox.next() { found += batch.deliveries.map(\.addressed.payload) }
        #expect(found == [[1], [2]])
    }
}
