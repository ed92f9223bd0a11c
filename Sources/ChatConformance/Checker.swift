internal import ChatModel

/// Why a check ended before its end.
enum Stop: Error {
    case failed(String)
    case notApplicable(String)
}

/// Fails the check unless something holds.
func expect(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(Stop) {
    guard condition else { throw .failed(otherwise()) }
}

/// Ends the check unless it applies.
func applies(_ condition: Bool, _ otherwise: String) throws(Stop) {
    guard condition else { throw .notApplicable(otherwise) }
}

/// Fails the check unless a step refuses; gives the refusal.
func refusal(of what: String, _ step: () throws(Refusal) -> Void) throws(Stop) -> Refusal {
    do throws(Refusal) { try step() } catch { return error }
    throw .failed("\(what) was accepted")
}

/// Fails the check if a step refuses; gives what the step gave.
func succeed<Value>(_ what: String, _ step: () throws(Refusal) -> Value) throws(Stop) -> Value {
    do throws(Refusal) { return try step() } catch { throw .failed("\(what) was refused: \(error)") }
}

/// Collects the results of the checks of one implementation.
struct Checker {
    let component: String
    let name: String
    let seed: UInt64
    private(set) var results: [Report.Result] = []

    init(_ component: String, _ name: String, seed: UInt64) {
        (self.component, self.name, self.seed) = (component, name, seed)
    }

    var report: Report { Report(component: component, name: name, seed: seed, results: results) }

    mutating func check(_ id: String, _ requirement: String, _ body: (inout Dice) throws(Stop) -> Void) {
        // Each check has its own dice, so that one can be repeated without the others.
        var dice = Dice(seed: seed ^ UInt64(results.count) << 32)
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
        var dice = Dice(seed: seed ^ UInt64(results.count) << 32)
        do throws(Stop) {
            try await body(&dice)
            add(id, requirement, .passed)
        } catch {
            add(id, requirement, error)
        }
    }

    private mutating func add(_ id: String, _ requirement: String, _ stop: Stop) {
        switch stop {
        case .failed(let reason): add(id, requirement, Report.Outcome.failed(reason))
        case .notApplicable(let reason): add(id, requirement, Report.Outcome.notApplicable(reason))
        }
    }

    private mutating func add(_ id: String, _ requirement: String, _ outcome: Report.Outcome) {
        results.append(Report.Result(id: id, requirement: requirement, outcome: outcome))
    }
}

/// What each check draws from.
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

    /// A turn that draws from these dice.
    mutating func turn(now: UInt64 = 1_700_000_000_000, maximumPayload: Int = 64 << 10, headRoom: Int = 0) -> Turn {
        Turn(
            now: Timestamp(milliseconds: now), maximumPayload: maximumPayload, headRoom: headRoom,
            random: Dice(seed: next()))
    }
}
