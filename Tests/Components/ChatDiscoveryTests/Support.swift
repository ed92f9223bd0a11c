import ChatDiscovery
import ChatModel
import Foundation
import TestSupport

extension DiscoveryProtocol {
    /// The first answer to a text.
    func first(_ text: String) async throws(DiscoveryError) -> [Introduction]? {
        var answers = try await find(text).makeAsyncIterator()
        return try await answers.next()
    }

    /// What a text is refused with.
    func refusal(of text: String) async -> DiscoveryError? {
        do {
            _ = try await first(text)
            return nil
        } catch {
            return error
        }
    }
}

/// The code blocks of a specification.
func blocks(of specification: String) throws -> [String] {
    let path = Vectors.packageRoot.appendingPathComponent("Specs/\(specification)")
    let text = try String(contentsOf: path, encoding: .utf8)
    return text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
}

/// The bytes of a worked example: what stands in front of the comment of each line.
func example(_ block: String) -> [UInt8] {
    let isHex = { (word: Substring) in word.count % 2 == 0 && word.allSatisfy(\.isHexDigit) }
    return [UInt8](
        hex: block.split(separator: "\n").map { $0.split(separator: " ").prefix(while: isHex).joined() }.joined())
}
