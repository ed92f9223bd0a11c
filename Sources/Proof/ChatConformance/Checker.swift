internal import ChatModel

/// Why a check ended before its end.
enum Stop: Error {
    case failed(String, file: String = #fileID, line: UInt = #line)
    case notApplicable(String)
}

/// A line of a suite: where the assertion stands that something did not meet.
package struct Place: Sendable, Hashable, Comparable {
    /// The file's name and the line.
    package let file: String, line: UInt

    package init(file: String, line: UInt) {
        (self.file, self.line) = (file.split(separator: "/").last.map(String.init) ?? file, line)
    }

    package static func < (left: Place, right: Place) -> Bool { (left.file, left.line) < (right.file, right.line) }
}

/// Fails the check unless something holds.
func expect(
    _ condition: Bool, _ otherwise: @autoclosure () -> String, file: String = #fileID, line: UInt = #line
) throws(Stop) {
    guard condition else { throw .failed(otherwise(), file: file, line: line) }
}

/// Ends the check unless it applies.
func applies(_ condition: Bool, _ otherwise: String) throws(Stop) {
    guard condition else { throw .notApplicable(otherwise) }
}

/// Fails the check unless a step refuses; gives the refusal.
func refusal(
    of what: String, file: String = #fileID, line: UInt = #line, _ step: () throws(Refusal) -> Void
) throws(Stop) -> Refusal {
    do throws(Refusal) { try step() } catch { return error }
    throw .failed("\(what) was accepted", file: file, line: line)
}

/// Fails the check if a step refuses; gives what the step gave.
func succeed<Value>(
    _ what: String, file: String = #fileID, line: UInt = #line, _ step: () throws(Refusal) -> Value
) throws(Stop) -> Value {
    do throws(Refusal) { return try step() } catch {
        throw .failed("\(what) was refused: \(error)", file: file, line: line)
    }
}

/// Collects the results of the checks of one implementation.
struct Checker {
    let component: String
    let facts: Facts
    let seed: UInt64
    /// The checks to run; all of them where nil.
    let only: Set<String>?
    private(set) var results: [Report.Result] = []
    private var count: UInt64 = 0

    init(_ component: String, _ facts: Facts, seed: UInt64, only: Set<String>?) {
        (self.component, self.facts, self.seed, self.only) = (component, facts, seed, only)
    }

    var report: Report { Report(component: component, name: facts.name, seed: seed, results: results) }

    mutating func check(_ id: String, _ requirement: String, _ body: (inout Dice) throws(Stop) -> Void) {
        guard var dice = begin(id) else { return }
        do throws(Stop) {
            try body(&dice)
            add(id, requirement, .passed)
        } catch {
            add(id, requirement, error)
        }
    }

    mutating func check(
        _ id: String, _ requirement: String, _ body: (inout Dice) async throws(Stop) -> Void
    ) async {
        guard var dice = begin(id) else { return }
        do throws(Stop) {
            try await body(&dice)
            add(id, requirement, .passed)
        } catch {
            add(id, requirement, error)
        }
    }

    /// The first check of every component: a composition's name can hold its own (FW-01).
    mutating func checkFacts() {
        let facts = facts
        check("FW-01", "it has a name that a composition's name can hold, and a summary") { _ throws(Stop) in
            let isFit = facts.name.utf8.allSatisfy { (0x21...0x7e).contains($0) && !(65...90).contains($0) }
            let isWhole = !facts.name.isEmpty && !facts.name.utf8.contains { $0 == 0x2f || $0 == 0x2b }
            try expect(isFit && isWhole, "the name is '\(facts.name)'")
            try expect(!facts.summary.isEmpty, "there is no summary")
        }
    }

    /// The dice of a check, or nil if it is not wanted.
    private mutating func begin(_ id: String) -> Dice? {
        defer { count += 1 }
        guard only?.contains(id) ?? true else { return nil }
        // Each check has its own dice, so that one can be repeated without the others.
        return Dice(seed: seed ^ count << 32)
    }

    private mutating func add(_ id: String, _ requirement: String, _ stop: Stop) {
        switch stop {
        case .failed(let reason, let file, let line):
            add(id, requirement, Report.Outcome.failed(reason), at: Place(file: file, line: line))
        case .notApplicable(let reason): add(id, requirement, Report.Outcome.notApplicable(reason))
        }
    }

    private mutating func add(
        _ id: String, _ requirement: String, _ outcome: Report.Outcome, at place: Place? = nil
    ) {
        results.append(Report.Result(id: id, requirement: requirement, outcome: outcome, place: place))
    }
}

/// The stored records of a machine, each key once.
struct Stored: Equatable {
    private var table: [String: Bytes] = [:]

    /// Takes the changes of a machine, as a client does after each step.
    mutating func take(_ changes: [Record]) {
        for record in changes { table[record.key] = record.bytes }
    }

    var records: [Record] { table.sorted { $0.key < $1.key }.map { Record($0.key, $0.value) } }

    var size: Int { table.values.reduce(0) { $0 + $1.count } }
}

extension Facts {
    func claims(_ property: Property) -> Bool { claims.contains { $0.property == property && $0.holds } }
}

/// The random source of a check.
typealias Dice = RepeatableRandom

extension RepeatableRandom {
    mutating func bytes(_ count: Int) -> Bytes { Bytes(bytes(count, for: .identifier)) }

    /// A payload as an attacker would send it: of its own making, or a good one that was altered.
    mutating func hostile(like good: Bytes) -> Bytes {
        var bytes = good.array
        switch Int.random(in: 0..<5, using: &self) {
        case 0: return self.bytes(Int.random(in: 0..<96, using: &self))
        case 1: bytes.removeLast(Int.random(in: 0...bytes.count, using: &self))
        case 2: bytes += self.bytes(Int.random(in: 1..<16, using: &self)).array
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &self), at: Int.random(in: 0...bytes.count, using: &self))
        default:
            guard !bytes.isEmpty else { return Bytes(bytes) }
            for _ in 0..<Int.random(in: 1..<4, using: &self) {
                bytes[Int.random(in: 0..<bytes.count, using: &self)] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            }
        }
        return Bytes(bytes)
    }

    /// A text as an attacker would send it.
    mutating func hostile(like good: String) -> String {
        String(decoding: hostile(like: Bytes(good)).array, as: UTF8.self)
    }

    /// A turn that draws from these dice.
    mutating func step(now: UInt64 = 1_700_000_000_000, maximumPayload: Int = 64 << 10, headRoom: Int = 0) -> Step {
        Step(
            now: Timestamp(milliseconds: now), maximumPayload: maximumPayload, headRoom: headRoom,
            random: Dice(seed: next()))
    }
}

extension Step {
    /// Whether a step left nothing that the client would act on.
    var isUntouched: Bool { output.isEmpty }
}
