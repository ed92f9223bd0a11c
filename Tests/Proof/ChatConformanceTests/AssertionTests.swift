import ChatModel
import Foundation
import TestSupport
import Testing

@testable import ChatConformance

/// Every line of the suites at which a check can fail, from their sources.
private func assertions() throws -> Set<Place> {
    let folder = Vectors.packageRoot.appendingPathComponent("Sources/Proof/ChatConformance")
    let words = ["try expect(", "refusal(of:", "try succeed(", "throw .failed("]
    var places: Set<Place> = []
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
        let lines = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated()
        where words.contains(where: { line.contains($0) }) && (file != "Checker.swift" || line.contains("try expect("))
        {
            places.insert(Place(file: file, line: UInt(number + 1)))
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
    for defect in BrokenGroup.Defect.allCases {
        reports.append(
            BrokenGroup.$defect.withValue(defect) {
                Conformance.check(group: BrokenGroup.type, only: [defect.check])
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
    let all = try assertions()
    #expect(failed.isSubset(of: all), "places that are no assertion: \(failed.subtracting(all).sorted())")
    let missed = all.subtracting(failed).sorted()
    print("conformance: \(all.intersection(failed).count) of \(all.count) assertions stop somebody")
    #expect(missed.isEmpty, "\(missed.map { "\($0.file):\($0.line)" }.joined(separator: "\n"))")
}
