import ChatCodec
import ChatDriver

/// What came of the demonstration.
struct DemoResult {
    let textName: String
    let lines: [String]
    let course: Demo.Course
    let saro: [PeerProcess.Arrival]
    let raya: [PeerProcess.Arrival]
    /// The relay's statistics.
    let relay: JSON

    /// Contents that did not arrive, by either peer.
    private var missing: Int {
        [saro, raya].reduce(0) { $0 + max(0, lines.count - $1.count) }
    }

    /// Contents that are not the line of their place.
    private var misplaced: Int {
        [saro, raya].reduce(0) { count, arrivals in
            count + arrivals.enumerated().count { $0.offset >= lines.count || $0.element.text != lines[$0.offset] }
        }
    }

    /// Whether every line arrived once and in its place, both ways.
    var isComplete: Bool { missing == 0 && misplaced == 0 }

    /// Who said what, in the order in which it was shown.
    var transcript: String {
        var entries = saro.map { ($0.at, "raya: \($0.text)") } + raya.map { ($0.at, "saro: \($0.text)") }
        entries.append((course.cut, "---- raya is killed (kill -9) ----"))
        entries.append((course.back, "---- raya is back ----"))
        return entries.sorted { $0.0 < $1.0 }.map { "\(padded(course.begin.duration(to: $0.0))) \($0.1)" }
            .joined(separator: "\n")
    }

    /// The choices and the numbers.
    var summary: String {
        let end = (saro + raya).map(\.at).max() ?? course.begin
        let total = Summary.milliseconds(course.begin.duration(to: end))
        let away = Summary.milliseconds(course.cut.duration(to: course.back))
        let rows = [
            ("text", "\(textName), \(lines.count) lines, both ways at once"),
            ("content", "\(2 * lines.count) sent, \(saro.count + raya.count) received"),
            ("missing", "\(missing)"),
            ("out of place", "\(misplaced)"),
            ("payloads", "\(relay(of: "published")) taken by the relay, \(relay(of: "delivered")) delivered"),
            ("on the wire", "\(relay(of: "bytes_in")) bytes to the relay, \(relay(of: "bytes_out")) from it"),
            ("datagrams", "\(relay(of: "datagrams_in")) to the relay, \(relay(of: "datagrams_out")) from it"),
            ("time", "\(total) ms, \(away) ms of them without raya"),
        ]
        return Summary.of(course.suite, rows)
    }

    private func relay(of name: String) -> Int { relay[name]?.int ?? 0 }

    private func padded(_ time: Duration) -> String {
        let digits = String(Summary.milliseconds(time))
        return String(repeating: " ", count: max(0, 6 - digits.count)) + digits
    }
}
