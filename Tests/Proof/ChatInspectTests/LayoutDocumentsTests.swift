import ChatInspect
import Foundation
import TestSupport
import Testing

private let messages = Set(Kind.allCases.flatMap(\.messages)).sorted { $0.message < $1.message }

private func text(of document: String) throws -> String {
    try String(contentsOf: Vectors.packageRoot.appendingPathComponent("Specs/\(document)"), encoding: .utf8)
}

/// Whether a document says that a number is a field of a name: the number, a type of up to three words, the name.
private func isDefined(_ number: Int, _ name: String, in text: String) throws -> Bool {
    try Regex("(^|[^0-9A-Za-z])\(number) ([A-Za-z0-9]+ ){0,3}`\(name)`").firstMatch(in: text) != nil
}

@Test(arguments: messages)
func `each field that the inspector knows stands in the document of its message, by number and name (WIRE-2)`(
    message: LayoutDescription
) throws {
    let documents = try text(of: message.document) + text(of: "wire.md")
    for (number, name) in message.fields {
        #expect(
            try isDefined(number, name, in: documents), "\(message.document): \(message.message), \(number) \(name)")
    }
}

@Test func `a field of another number is not taken for the one of the document`() throws {
    let row = "| 12 optional bytes `bloom_filter` | 3 string `channel_id`"
    #expect(try isDefined(12, "bloom_filter", in: row) && isDefined(3, "channel_id", in: row))
    #expect(try !isDefined(2, "bloom_filter", in: row) && !isDefined(12, "channel_id", in: row))
    #expect(messages.count > 15)
}
