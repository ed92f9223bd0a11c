import ChatCodec
import ChatModel
import Foundation
import TestSupport
import Testing

@testable import ChatVectors

private let directory = Vectors.packageRoot.appendingPathComponent("Specs/vectors")

/// The checked-in files by name.
private func checkedIn() throws -> [(name: String, bytes: [UInt8])] {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".json") }
    return try names.sorted().map { name in
        (name, [UInt8](try Data(contentsOf: directory.appendingPathComponent(name))))
    }
}

struct FilesTests {
    @Test(.timeLimit(.minutes(30))) func `the seed gives every checked-in file, byte for byte`() async throws {
        let made = try await VectorFile.all(seed: "chat-framework/1").sorted { $0.name < $1.name }
        let there = try checkedIn()
        #expect(made.map(\.name) == there.map(\.name))
        for (one, other) in zip(made, there) { #expect(Array(one.text.utf8) == other.bytes, "\(one.name)") }
    }

    @Test(.timeLimit(.minutes(30))) func `another seed gives other files, and they are as good`() async throws {
        let there = try checkedIn()
        for file in try await VectorFile.all(seed: "another") {
            let failed = await Verifier.verify(Array(file.text.utf8), file: file.name).filter { $0.outcome != .passed }
            #expect(failed.isEmpty, "\(failed.prefix(3))")
            guard !["parity_invalid.json", "parity_matrix.json"].contains(file.name) else { continue }  // numbers alone
            let isSame = there.first { $0.name == file.name }?.bytes == Array(file.text.utf8)
            #expect(!isSame, "\(file.name)")
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `every case of the checked-in files passes, and there is a file of every kind`() async throws {
        var kinds: Set<String> = []
        for (name, bytes) in try checkedIn() {
            let verdicts = await Verifier.verify(bytes, file: name)
            #expect(verdicts.allSatisfy { $0.outcome == .passed } && !verdicts.isEmpty, "\(name)")
            let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
            kinds.insert(document["kind"]?.text ?? "")
            for one in document["cases"]?.list ?? [] { #expect(one["comment"]?.text?.isEmpty == false, "\(name)") }
        }
        #expect(kinds == Set(Kind.all.map(\.name)))
    }

    @Test(
        arguments: [
            "agent-chat/decode.json", "agent-chat/trace.json", "packet-stream/packets.json",
            "packet-stream/encode.json", "packet-stream/trace.json",
        ])
    func `the files that the Python implementation made pass`(name: String) async throws {
        let place = Vectors.packageRoot.appendingPathComponent("Specs/\(name)")
        let verdicts = await Verifier.verify([UInt8](try Data(contentsOf: place)), file: name)
        #expect(!verdicts.isEmpty && verdicts.allSatisfy { $0.outcome == .passed }, "\(verdicts)")
    }

    @Test func `the cases of Chat Engine are made again byte for byte, and pass`() throws {
        let place = Vectors.packageRoot.appendingPathComponent("Specs/chat-engine/made.json")
        let there = try String(contentsOf: place, encoding: .utf8)
        #expect(try EngineCases.text() == there)
        let verdicts = EngineVectors.verify(try JSON(parsing: there), file: "made.json")
        #expect(verdicts.count > 500 && verdicts.allSatisfy { $0.outcome == .passed })
    }

    @Test(.timeLimit(.minutes(30)), arguments: ["logos", "leopard", "agent-chat", "chat-engine", "streaming-abi"])
    func `files made elsewhere pass, but for what this package does not do`(folder: String) async throws {
        let place = Vectors.directory.appendingPathComponent(folder)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: place.path) else {
            print("vectors: \(folder) is not in \(Vectors.directory.path); skipped")
            return
        }
        var counts: [Verdict.Outcome: Int] = [:]
        // The large ones take long in a debug build; ChatReliabilityTests has them.
        for name in names.sorted() where name.hasSuffix(".json") && name != "large.json" {
            let bytes = [UInt8](try Data(contentsOf: place.appendingPathComponent(name)))
            for verdict in await Verifier.verify(bytes, file: name) {
                counts[verdict.outcome, default: 0] += 1
                #expect(verdict.outcome != .failed, "\(verdict)")
            }
        }
        print("vectors: \(folder): \(counts[.passed] ?? 0) passed, \(counts[.notApplicable] ?? 0) not applicable")
        #expect(counts[.passed, default: 0] > 0)
    }
}

/// The ways to texts, numbers and truth values in a value.
private func leaves(_ value: JSON, _ path: [JSON] = []) -> [[JSON]] {
    switch value {
    case .object(let object): object.members.flatMap { leaves($0.value, path + [.string($0.key)]) }
    case .array(let list): list.enumerated().flatMap { leaves($1, path + [JSON($0)]) }
    case .null: []
    default: [path]
    }
}

/// A value with a mistake at a place: one bit, character or unit.
private func planted(_ value: JSON, _ path: ArraySlice<JSON>) -> JSON {
    guard let key = path.first else { return mistaken(value) }
    if let name = key.text, case .object(var object) = value {
        object[name] = object[name].map { planted($0, path.dropFirst()) }
        return .object(object)
    }
    guard var list = value.list, let index = key.int else { return value }
    list[index] = planted(list[index], path.dropFirst())
    return .array(list)
}

private func mistaken(_ value: JSON) -> JSON {
    switch value {
    case .bool(let flag): return .bool(!flag)
    case .integer(let number): return .integer(number + 1)
    case .string(let text):
        var characters = Array(text.utf8)
        guard !characters.isEmpty else { return "00" }
        let middle = characters.count / 5
        characters[middle] = characters[middle] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
        return .string(String(decoding: characters, as: UTF8.self))
    default: return value
    }
}

struct PlantedMistakeTests {
    @Test(.timeLimit(.minutes(30)), arguments: Kind.all.map(\.name))
    func `a mistake in any field that a case expects is found`(name: String) async throws {
        let kind = try #require(Kind.all.first { $0.name == name })
        var (count, missed): (Int, [String]) = (0, [])
        for (file, bytes) in try checkedIn() {
            let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
            guard document["kind"]?.text == name else { continue }
            for one in document["cases"]?.list ?? [] {
                let output = try await Kind.outcome { try await kind.run(Case(json: one, isExact: true)) }
                // Comparing again is enough: what an operation gives depends on inputs alone, which stay.
                for path in leaves(output).filter({ isExpected($0, in: one, of: kind) }) {
                    count += 1
                    let wrong = Case(json: planted(one, path[...]), isExact: true)
                    do {
                        try kind.compare(wrong, with: output)
                        missed.append("\(file) \(one["id"]?.text ?? "") \(path)")
                    } catch {}
                }
            }
        }
        print("planted in \(name): \(count - missed.count) of \(count) found")
        #expect(missed.isEmpty && count > 0, "\(missed.prefix(5))")
    }

    /// Whether a place of an output is in the case too, and says something.
    private func isExpected(_ path: [JSON], in one: JSON, of kind: Kind) -> Bool {
        var value: JSON? = one
        for key in path { value = key.text.map { value?[$0] } ?? key.int.map { value?.list?[$0] } ?? nil }
        return value != nil && value != .null
    }

    @Test(.timeLimit(.minutes(30)))
    func `a list that is shorter or longer than what an operation gives is found`() async throws {
        var count = 0
        for (file, bytes) in try checkedIn() where ["segmentation.json", "directory.json", "kdf.json"].contains(file) {
            let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
            let kind = try #require(Kind.all.first { $0.name == document["kind"]?.text })
            for one in document["cases"]?.list ?? [] {
                let output = try await Kind.outcome { try await kind.run(Case(json: one, isExact: true)) }
                for member in output.members ?? [] where member.key != "steps" {
                    guard let list = member.value.list, let last = list.last, one[member.key] != nil else { continue }
                    for wrong in [Array(list.dropLast()), list + [last]] {
                        count += 1
                        let case0 = Case(json: one.adding(.object(member.key, .array(wrong))), isExact: true)
                        #expect(throws: Problem.self) { try kind.compare(case0, with: output) }
                    }
                }
            }
        }
        #expect(count > 10)
    }

    @Test(.timeLimit(.minutes(30))) func `a mistake in an input is found too, where it is used`() async throws {
        var (count, found) = (0, 0)
        for (file, bytes) in try checkedIn() where ["ids.json", "xeddsa.json", "sealed_invite.json"].contains(file) {
            let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
            for one in document["cases"]?.list ?? [] where one["result"] == "valid" {
                for path in leaves(one) where !["id", "comment"].contains(path[0].text ?? "") {
                    var object = document
                    object = object.adding(["cases": [planted(one, path[...])]])
                    count += 1
                    let verdicts = await Verifier.verify(Array(object.description.utf8), file: file)
                    found += verdicts[0].outcome == .passed ? 0 : 1
                }
            }
        }
        print("planted anywhere: \(found) of \(count) found")
        #expect(found == count)
    }
}

struct BadFileTests {
    private let good = #"{"id":"a","function":"inbox_id","input":{"installation_key":""},"output":{"inbox_id":""}}"#

    private func verdict(_ text: String) async -> Verdict {
        await Verifier.verify(Array(text.utf8), file: "f")[0]
    }

    @Test(
        .timeLimit(.minutes(30)),
        arguments: [
            ("", Verdict.Outcome.failed, "is no JSON"),
            ("{", .failed, "is no JSON"),
            ("7", .notApplicable, "has no schema"),
            (#"{"cases": []}"#, .notApplicable, "has no schema"),
            (#"{"schema": "mls", "cases": []}"#, .notApplicable, "is of format mls"),
            (
                #"{"schema": "logos-chat-vectors/2", "kind": "kdf", "cases": [{}]}"#, .failed,
                "is of format logos-chat-vectors/2"
            ),
            (#"{"schema": "logos-chat-vectors/1", "kind": "kdf"}"#, .failed, "has no list of cases"),
            (#"{"schema": "logos-chat-vectors/1", "cases": [{}]}"#, .failed, "has no kind"),
            (#"{"schema": "logos-chat-vectors/1", "kind": "kdf", "cases": []}"#, .failed, "has no cases"),
            (
                #"{"schema": "logos-chat-vectors/1", "kind": "shopping", "cases": [{}]}"#, .notApplicable,
                "kind shopping"
            ),
            (#"{"schema": "logos-chat-vectors/1", "kind": "kdf", "cases": [7]}"#, .failed, "a case is an object"),
            (#"{"schema": "logos-chat-vectors/1", "kind": "kdf", "cases": [{}]}"#, .failed, "there is no function"),
            (
                #"{"schema": "logos-chat-vectors/1", "kind": "kdf", "cases": [{"function": "md5", "input": {}}]}"#,
                .notApplicable, "function md5"
            ),
            (
                #"{"schema": "logos-chat-vectors/1", "kind": "udp", "cases": [{"operation": "read_datagram", "bytes": "zz"}]}"#,
                .failed, "bytes is no hex"
            ),
        ])
    func `a file that cannot be used gives a clear result`(
        text: String, outcome: Verdict.Outcome, reason: String
    ) async {
        let found = await verdict(text)
        #expect(found.outcome == outcome && found.reason.hasPrefix(reason), "\(found)")
    }

    @Test(.timeLimit(.minutes(30)))
    func `a step more or less, and a member that nobody looks at, fail a case`() async throws {
        for (file, operation) in [("ratchet.json", nil), ("sds.json", "transcript"), ("suite.json", nil)] {
            let bytes = try #require(try checkedIn().first { $0.name == file }).bytes
            let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
            let cases = document["cases"]?.list ?? []
            let one = try #require(cases.first { operation == nil || $0["operation"]?.text == operation })
            func failed(_ one: JSON) async -> String? {
                let text = document.adding(["cases": [one]]).description
                let verdict = await Verifier.verify(Array(text.utf8), file: file)[0]
                return verdict.outcome == .failed ? verdict.reason : nil
            }
            #expect(await failed(one) == nil)
            #expect(await failed(one.adding(["surprise": 1]))?.contains("surprise") == true, "\(file)")
            var steps = try #require(one["steps"]?.list)
            let accepted = try #require(steps.firstIndex { $0["error"] == nil })
            steps[accepted] = steps[accepted].adding(["surprise": [1, 2]])
            #expect(await failed(one.adding(["steps": .array(steps)]))?.contains("surprise") == true, "\(file)")
        }
        let kind = try #require(Kind.all.first { $0.name == "ratchet" })
        let one = Case(json: ["steps": [[:], [:]]])
        #expect(throws: Problem.self) { try kind.compare(one, with: ["steps": [[:]]]) }
        #expect(throws: Problem.self) { try kind.compare(one, with: ["steps": [[:], [:], [:]]]) }
        #expect(throws: Never.self) { try kind.compare(one, with: ["steps": [[:], [:]]]) }
    }

    @Test(.timeLimit(.minutes(30)))
    func `a difference names its step and has both whole values, and so does a transcript that ends early`()
        async throws
    {
        let bytes = try #require(try checkedIn().first { $0.name == "sds_channel.json" }).bytes
        let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
        let one = try #require(document["cases"]?.list?.first { $0["id"] == "channel-in-turn" })
        var steps = try #require(one["steps"]?.list)
        func found(_ steps: [JSON]) async -> Verdict {
            await verdict(document.adding(["cases": [one.adding(["steps": .array(steps)])]]).description)
        }
        let (good, view) = (steps[1], try #require(steps[1]["view"]))
        steps[1] = good.adding(["view": view.adding(["lamport": 7])])
        let other = await found(steps)
        #expect(other.reason.hasPrefix("step 1, receive by raya: view"), "\(other)")
        #expect(other.actual == view && other.expected == steps[1]["view"])
        steps[1] = good.adding(["op": "dance"])
        let strange = await found(steps)
        #expect(strange.outcome == .notApplicable)
        steps[1] = good.adding(["message": 5])
        let unreadable = await found(steps)
        #expect(
            unreadable.outcome == .failed && unreadable.reason.hasPrefix("step 1, receive by raya: "), "\(unreadable)")
    }

    @Test(.timeLimit(.minutes(30)))
    func `a member of an input that nobody looks at fails a case, and a remark does not`() async throws {
        let bytes = try #require(try checkedIn().first { $0.name == "kdf.json" }).bytes
        let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
        let one = try #require(document["cases"]?.list?.first)
        let input = try #require(one["input"])
        func found(_ more: JSON) async -> Verdict {
            await verdict(document.adding(["cases": [one.adding(more)]]).description)
        }
        let strange = await found(["input": input.adding(["x": 1])])
        #expect(strange.outcome == .failed && strange.reason.contains("the file has x"), "\(strange)")
        let remark = await found(["comment": "why", "flags": ["y"]])
        #expect(remark.outcome == .passed, "\(remark)")
    }

    @Test(.timeLimit(.minutes(30))) func `one bad case does not keep the others from being checked`() async {
        let text = #"{"schema":"logos-chat-vectors/1","kind":"kdf","cases":[{},"# + good + "]}"
        let verdicts = await Verifier.verify(Array(text.utf8), file: "f")
        #expect(verdicts.map(\.outcome) == [.failed, .failed] && verdicts[1].name == "a")
    }

    @Test(.timeLimit(.minutes(30))) func `3,000 hostile files are read and nothing traps`() async throws {
        var random = SplitMix64(seed: 7)
        let characters = Array("0123456789abcdef\"{}[],:- ".utf8)
        for (name, bytes) in try checkedIn() {
            let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
            // Small cases, changed anywhere: numbers, texts and structure.
            let small = (document["cases"]?.list ?? []).filter { $0.description.utf8.count < 2_000 }
            for one in small.prefix(8) {
                for _ in 0..<20 {
                    var text = Array(document.adding(["cases": [one]]).description.utf8)
                    for _ in 0..<1 + random.below(3) {
                        let place = random.below(text.count)
                        text[place] = characters[random.below(characters.count)]
                    }
                    _ = await Verifier.verify(text, file: name)
                }
            }
        }
    }
}

extension JSON {
    /// An object with one member.
    fileprivate static func object(_ key: String, _ value: JSON) -> JSON {
        var object = Object()
        object[key] = value
        return .object(object)
    }
}
