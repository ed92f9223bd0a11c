import Foundation

/// The worked examples of a document in `Specs/`, so that a test proves what the document prints.
public enum Specification {
    /// The code blocks of a document, in order.
    public static func blocks(of document: String) throws -> [String] {
        let path = Vectors.packageRoot.appendingPathComponent("Specs/\(document)")
        let text = try String(contentsOf: path, encoding: .utf8)
        return text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    }

    /// The bytes of the code blocks that are nothing but hex with comments behind.
    public static func examples(of document: String) throws -> [[UInt8]] {
        try blocks(of: document).map(bytes).filter { !$0.isEmpty }
    }

    /// What stands in front of the comment of each line.
    public static func bytes(_ block: String) -> [UInt8] {
        let isHex = { (word: Substring) in word.count % 2 == 0 && word.allSatisfy(\.isHexDigit) }
        return [UInt8](
            hex: block.split(separator: "\n").map { $0.split(separator: " ").prefix(while: isHex).joined() }.joined())
    }
}
