import Foundation
import TestSupport
import Testing

/// Each link of a document to a file of this package leads to a file that is there.
struct DocumentLinkTests {
    private static let root = Vectors.packageRoot

    private static func documents() throws -> [URL] {
        let specs = try #require(
            FileManager.default.enumerator(at: root.appending(path: "Specs"), includingPropertiesForKeys: nil))
        let found = specs.compactMap { $0 as? URL }.filter { $0.pathExtension == "md" }
        return found
            + ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Examples/SixthVariant/README.md"].map {
                root.appending(path: $0)
            }
    }

    @Test func `links between documents and to sources lead to files`() throws {
        let link = /\]\(([^)#\s]+)(#[^)]*)?\)/
        var (checked, broken): (Int, [String]) = (0, [])
        for document in try Self.documents() {
            let text = try String(contentsOf: document, encoding: .utf8)
            for match in text.matches(of: link) where !match.1.contains("://") && !match.1.hasPrefix("mailto:") {
                checked += 1
                let target = document.deletingLastPathComponent().appending(path: String(match.1))
                guard !FileManager.default.fileExists(atPath: target.path) else { continue }
                broken.append("\(document.lastPathComponent): \(match.1)")
            }
        }
        #expect(checked > 100 && broken.isEmpty, "\(broken.joined(separator: "\n"))")
    }
}
