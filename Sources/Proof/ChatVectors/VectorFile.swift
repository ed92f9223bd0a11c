import ChatCodec

/// A vector file as this package makes it.
public struct VectorFile: Sendable {
    /// What every file says under `schema`.
    public static let format = "logos-chat-vectors/1"

    /// The file's name.
    public let name: String
    let kind: String
    let profile: String
    let notes: [String]
    /// Drafts before, cases after they were completed.
    var cases: [JSON]

    init(_ name: String, kind: String, profile: String, notes: [String] = [], cases: [JSON]) {
        (self.name, self.kind, self.profile, self.notes, self.cases) = (name, kind, profile, notes, cases)
    }

    /// The file's text: one line for each case, so that a change shows where it is.
    public var text: String {
        let head: [(String, JSON)] = [
            ("schema", .string(Self.format)), ("kind", .string(kind)), ("profile", .string(profile)),
            ("errors", "exact"), ("notes", .texts(notes)),
        ]
        let lines = head.map { "  \(JSON.string($0.0)): \($0.1),\n" }.joined()
        return "{\n\(lines)  \"cases\": [\n    \(cases.map(\.description).joined(separator: ",\n    "))\n  ]\n}\n"
    }
}

extension VectorFile {
    /// All files, made from a seed; the same seed gives the same bytes.
    public static func all(seed: String) async throws -> [VectorFile] {
        var files: [VectorFile] = []
        for kind in Kind.all {
            for var file in try await kind.files(DeterministicValues(seed: seed)) {
                for (index, draft) in file.cases.enumerated() {
                    file.cases[index] = try await kind.complete(draft, in: file.name)
                }
                files.append(file)
            }
        }
        return files
    }
}

/// A draft that does not do what its author says: a mistake in the author or in the package.
struct DraftError: Error, CustomStringConvertible {
    let description: String
}

extension Kind {
    /// The case that a draft becomes.
    fileprivate func complete(_ draft: JSON, in file: String) async throws -> JSON {
        let output: JSON
        do { output = try await Self.outcome { try await run(Case(json: draft)) } } catch {
            throw DraftError(description: "\(file), \(draft["id"]?.text ?? ""): \(error)")
        }
        // What the author says comes first and must be so; a draft without a word is of a case that is valid.
        let said = draft["error"]?.text
        guard output["error"]?.text == said else {
            throw DraftError(
                description:
                    "\(file), \(draft["id"]?.text ?? ""): gives \(output), and the draft says \(said ?? "valid")")
        }
        return try Self.merge(draft, output, "\(file), \(draft["id"]?.text ?? "")")
    }

    private static func merge(_ draft: JSON, _ output: JSON, _ place: String) throws -> JSON {
        guard let drafts = draft["steps"]?.list, let outputs = output["steps"]?.list else {
            return draft.adding(output)
        }
        guard drafts.count == outputs.count else {
            throw DraftError(description: "\(place): gives \(outputs.count) steps, and the draft has \(drafts.count)")
        }
        let steps = try zip(drafts, outputs).enumerated().map { number, pair in
            guard pair.0["error"]?.text == pair.1["error"]?.text else {
                throw DraftError(description: "\(place), step \(number): gives \(pair.1), and the draft says \(pair.0)")
            }
            return try merge(pair.0, pair.1, "\(place), step \(number)")
        }
        return draft.adding(output).adding(["steps": .array(steps)])
    }
}
