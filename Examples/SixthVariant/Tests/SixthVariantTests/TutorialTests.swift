import ChatConformance
import Foundation
import SixthTrial
import SixthVariant
import Testing

/// `Specs/tutorial.md`, whose code is the code of this package.
private struct Tutorial {
    struct Block {
        /// The file that the fence names, from the root of the repository.
        let file: String
        let text: String
    }

    let text: String
    let blocks: [Block]
    private let root: URL

    init() throws {
        root = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        text = try String(contentsOf: root.appendingPathComponent("Specs/tutorial.md"), encoding: .utf8)
        var (blocks, open, lines): ([Block], String?, [Substring]) = ([], nil, [])
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let file = open, line == "```" {
                blocks.append(Block(file: file, text: lines.map { $0 + "\n" }.joined()))
                (open, lines) = (nil, [])
            } else if open != nil {
                lines.append(line)
            } else if line.hasPrefix("```swift") {
                open = String(line.dropFirst("```swift ".count))
            }
        }
        self.blocks = blocks
    }

    func source(_ file: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
    }
}

@Test func `the tutorial's code is the code that is built and tested here`() throws {
    let tutorial = try Tutorial()
    #expect(tutorial.blocks.count >= 7)
    for block in tutorial.blocks {
        let isThere = try tutorial.source(block.file).contains(block.text)
        #expect(isThere, "not in \(block.file):\n\(block.text)")
    }
}

@Test func `whoever follows the tutorial has typed the whole framing`() throws {
    let tutorial = try Tutorial()
    let file = "Examples/SixthVariant/Sources/SixthVariant/LineFraming.swift"
    let typed = tutorial.blocks.filter { $0.file == file }.map(\.text).joined()
    let withoutEmptyLines = { (text: String) in text.split(separator: "\n").joined(separator: "\n") }
    #expect(withoutEmptyLines(typed) == withoutEmptyLines(try tutorial.source(file)))
}

@Test func `the tutorial shows what the suite prints`() throws {
    let report = Conformance.check(framing: { LineFraming() })
    #expect(try Tutorial().text.contains("```text\n\(report)\n```"), "\(report)")
}
