/// How a demonstration ends: the composition as its five choices, then numbers.
enum Summary {
    /// A line for each choice and each row.
    static func of(_ suite: String, _ rows: [(String, String)]) -> String {
        let titles = ["Discovery", "Initialization", "Conversation", "Delivery Service", "Framing Strategy"]
        let choices = zip(titles, suite.split(separator: "/")).map { row($0, String($1)) }
        return ([suite] + choices + [""] + rows.map { row($0.0, $0.1) }).joined(separator: "\n")
    }

    /// Whole milliseconds.
    static func milliseconds(_ time: Duration) -> Int { Int(time / .milliseconds(1)) }

    private static func row(_ title: String, _ value: String) -> String {
        "  " + title + String(repeating: " ", count: max(1, 18 - title.count)) + value
    }
}
