import ChatCodec
import ChatPlatform

/// One line of the report.
struct Row {
    /// What was measured, as a path: `ratchet/one-way/64`.
    let name: String
    /// Numbers in the order in which they are shown.
    var values: [Value]

    /// A number with its unit.
    struct Value {
        let name: String
        let number: Double
        let digits: Int

        /// - Parameter digits: how many are shown behind the point.
        init(_ name: String, _ number: Double, digits: Int = 0) {
            (self.name, self.number, self.digits) = (name, number, digits)
        }

        var text: String {
            let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
            let rounded = (number * scale).rounded()
            guard digits > 0 else { return String(Int(rounded)) }
            let whole = Int(rounded / scale)
            let rest = String(Int(rounded) - whole * Int(scale))
            return "\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
        }
    }

    /// The line for people.
    var text: String {
        let label = name + String(repeating: " ", count: max(1, 36 - name.count))
        return label + values.map { "\($0.name) \($0.text)" }.joined(separator: "  ")
    }

    /// The line for programs.
    var json: JSON {
        var object = JSON.Object()
        object["name"] = .string(name)
        for value in values { object[value.name] = .number(value.number) }
        return .object(object)
    }
}

/// How long measurements take.
struct Effort: Sendable {
    /// Rounds of each side, of which the median counts.
    var rounds = 15
    /// The least time that a round takes.
    var roundTime = Duration.milliseconds(20)
}

/// Times a subject and the floor under it in alternating rounds, so that both see the same machine.
///
/// - Parameters:
///   - floor: does the work of so many messages that cannot be avoided.
///   - subject: does the same through the package.
func compare(
    _ name: String, _ effort: Effort, floor: (_ messages: Int) -> Void, subject: (_ messages: Int) throws -> Void
) rethrows -> Row {
    var messages = 16
    // Long enough for the clock, and warm.
    while time({ floor(messages) }) < effort.roundTime, messages < 1 << 24 { messages *= 2 }
    try subject(messages)

    var (floors, subjects): ([Double], [Double]) = ([], [])
    for _ in 0..<effort.rounds {
        floors.append(time { floor(messages) } / .nanoseconds(messages))
        subjects.append(try time { try subject(messages) } / .nanoseconds(messages))
    }
    let (floorTime, subjectTime) = (median(floors), median(subjects))
    let ratios = zip(floors, subjects).map { $0 / $1 }.sorted()
    let values = [
        Row.Value("messages/s", 1e9 / subjectTime), Row.Value("ns", subjectTime), Row.Value("floor-ns", floorTime),
        Row.Value("ratio", median(ratios), digits: 3), Row.Value("lowest", ratios.first ?? 0, digits: 3),
        Row.Value("highest", ratios.last ?? 0, digits: 3),
    ]
    return Row(name: name, values: values)
}

/// The processor time that something takes on this thread; what else the machine does meanwhile counts little.
func time(_ body: () throws -> Void) rethrows -> Duration {
    let start = threadTime()
    try body()
    return threadTime() - start
}

private func threadTime() -> Duration { .nanoseconds(Int64(SystemClock.threadNanoseconds)) }

/// The middle one of some numbers.
func median(_ numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
}

/// What all threads of the process have used.
func processorTime() -> Duration { .nanoseconds(Int64(SystemClock.processNanoseconds)) }
