import ChatTool
import Testing

private enum Color: String, CaseIterable, OptionValue { case red, green }

private let listen = Option("listen", "HOST:PORT", default: "127.0.0.1:9220", "where to listen")
private let size = Option("size", "BYTES", default: 1 << 20, in: 1...1 << 30, "largest payload")
private let age = Option("age", "TIME", default: Duration.seconds(3_600), "how long")
private let color = Option<Color?>("color", "COLOR", "which color")
private let json = Option("json", "print JSON")
private let command = Command(
    "try-me", summary: "Tries things.", options: [listen, size, age, color, json], operands: ["FILE"],
    notes: "Exit codes: 0, 1, 2.")

private func parse(_ line: String) throws(OptionError) -> Options? {
    try command.parse(line.split(separator: " ").map(String.init))
}

@Test func `options not given have their defaults`() throws {
    let options = try #require(try parse("file"))
    #expect(options[listen] == "127.0.0.1:9220")
    #expect(options[size] == 1 << 20)
    #expect(options[age] == .seconds(3_600))
    #expect(options[color] == nil)
    #expect(!options[json])
    #expect(options.operands == ["file"])
}

@Test func `options are read in both forms and the last one counts`() throws {
    let options = try #require(try parse("--listen [::1]:1 --size=4k file --size 2M --json --age 90s --color red"))
    #expect(options[listen] == "[::1]:1")
    #expect(options[size] == 2 << 20)
    #expect(options.all(size) == [4_096, 2 << 20])
    #expect(options[age] == .seconds(90))
    #expect(options[color] == .red)
    #expect(options[json])
}

@Test func `two dashes end the options`() throws {
    #expect(try parse("-- --json")?.operands == ["--json"])
}

@Test func `help is asked for by name or letter`() throws {
    #expect(try parse("--help") == nil)
    #expect(try parse("file -h") == nil)
}

@Test(arguments: [
    ("--nope file", OptionError.unknown("--nope")),
    ("-x file", .unknown("-x")),
    ("file --size", .missingValue("size", expected: "a number from 1 to 1G")),
    ("file --size=0", .badValue("size", value: "0", expected: "a number from 1 to 1G")),
    (
        "file --size 9999999999999999999G",
        .badValue("size", value: "9999999999999999999G", expected: "a number from 1 to 1G")
    ),
    ("file --size 9007199254740993G", .badValue("size", value: "9007199254740993G", expected: "a number from 1 to 1G")),
    ("file --age 3", .badValue("age", value: "3", expected: "a time such as 500ms, 30s, 5m, 12h or 7d")),
    ("file --age -3s", .badValue("age", value: "-3s", expected: "a time such as 500ms, 30s, 5m, 12h or 7d")),
    (
        "file --age 9223372036854775807d",
        .badValue("age", value: "9223372036854775807d", expected: "a time such as 500ms, 30s, 5m, 12h or 7d")
    ),
    ("file --color blue", .badValue("color", value: "blue", expected: "red, green")),
    ("file --json=1", .unexpectedValue("json", value: "1")),
    ("file other", .unexpectedOperand("other")),
    ("", .missingOperand("FILE")),
])
func `a wrong command line names the option and what is expected`(line: String, error: OptionError) {
    #expect(throws: error) { try parse(line) }
}

@Test func `the help text lists every option with its default`() {
    #expect(
        command.help == """
            Tries things.

            usage: try-me [options] FILE

              --listen HOST:PORT  where to listen (default 127.0.0.1:9220)
              --size BYTES        largest payload (default 1M)
              --age TIME          how long (default 1h)
              --color COLOR       which color
              --json              print JSON
              --help              show this text

            Exit codes: 0, 1, 2.
            """)
}

@Test(arguments: ["0", "1", "1023", "1k", "1025", "3M", "1G", "-4k"])
func `numbers are written as they are read`(text: String) throws {
    #expect(try #require(Int(option: text)).optionText == text)
}

@Test(arguments: ["0ms", "1ms", "1500ms", "1s", "90s", "5m", "12h", "7d"])
func `times are written as they are read`(text: String) throws {
    #expect(try #require(Duration(option: text)).optionText == text)
}
