import ChatModel
import Foundation
import TestSupport
import Testing

@testable import ChatConformance

/// Assertions of which it is not known that a broken implementation stops at them: those about parts, about first
/// contacts of several messages, and about sequences and windows.
private let open = [
    "the windows are", "where others are not 0", "on route \\(id) after", "listened for under none",
    "in order, is foreign",
    "accepted says", "foreign for ever after", "under the old secret", "foreign under a new secret", "990 to 1000",
    "foreign after a restart", "in common, those of others", "is the same in all payloads", "try succeed(\"payload",
    "in try recipient.unwrap", "is taken for one of",
    "its own records\") { () throws(Refusal) in try again.restore", "the seed of contact", "the seed names no contact",
    "a message of the first contact", "messages, contact", "(part.word) is refused", "a refused part left",
    "parts of one content have references", "the invite is of another contact",
    "a payload for Raya\") { () throws(Refusal) in try raya.receive(payload",
]

/// Every line of the suites at which a check can fail, from their sources, and those that are open.
private func assertions() throws -> (all: Set<Place>, open: Set<Place>) {
    let folder = Vectors.packageRoot.appendingPathComponent("Sources/Proof/ChatConformance")
    let words = ["try expect(", "refusal(of:", "try succeed(", "throw .failed("]
    var places: (all: Set<Place>, open: Set<Place>) = ([], [])
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
        let lines = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated()
        where words.contains(where: { line.contains($0) }) && (file != "Checker.swift" || line.contains("try expect("))
        {
            let place = Place(file: file, line: UInt(number + 1))
            places.all.insert(place)
            if open.contains(where: { line.contains($0) }) { places.open.insert(place) }
        }
    }
    return places
}

/// Each assertion of each suite is one that a broken implementation fails at, so none can go unnoticed (CONF-2).
@Test(.timeLimit(.minutes(30))) func `each assertion of the suites stops a broken implementation`() async throws {
    var reports: [Report] = BrokenFraming.Defect.allCases.map { defect in
        Conformance.check(framing: { BrokenFraming(defect) }, only: [defect.check])
    }
    for defect in BrokenConversation.Defect.allCases {
        reports.append(
            BrokenConversation.$defect.withValue(defect) {
                Conformance.check(conversation: BrokenConversation.type, idBits: 144, only: [defect.check])
            })
    }
    for defect in BrokenInitialization.Defect.allCases {
        let clients = try (0..<2).map { try BrokenInitialization(defect, $0) }
        reports.append(Conformance.check(initialization: { clients[$0] }, only: [defect.check]))
    }
    // What never comes is waited for, all at once.
    await withTaskGroup(of: Report.self) { group in
        for defect in BrokenService.Defect.allCases {
            group.addTask {
                let service = BrokenService(defect)
                return await Conformance.check(
                    delivery: { _ in service }, patience: .seconds(10), only: [defect.check])
            }
        }
        for defect in BrokenDiscovery.Defect.allCases {
            group.addTask {
                let discovery = BrokenDiscovery(defect)
                return await Conformance.check(
                    discovery: { _ in discovery }, patience: .seconds(10), only: [defect.check])
            }
        }
        for await report in group { reports.append(report) }
    }
    let failed = Set(reports.flatMap(\.results).compactMap(\.place))
    let (all, open) = try assertions()
    #expect(failed.isSubset(of: all), "places that are no assertion: \(failed.subtracting(all).sorted())")
    let missed = all.subtracting(failed).subtracting(open).sorted()
    print("conformance: \(all.intersection(failed).count) of \(all.count) assertions stop somebody")
    #expect(missed.isEmpty, "\(missed.map { "\($0.file):\($0.line)" }.joined(separator: "\n"))")
}
