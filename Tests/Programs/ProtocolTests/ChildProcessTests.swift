import ChatDriver
import Testing

private let environment = ["PATH=/usr/bin:/bin", "WHO=Raya"]

@Test(.timeLimit(.minutes(30))) func `a child answers in lines and gives its exit code`() async throws {
    let script = "read line; echo \"$WHO: $line\"; echo trouble >&2; printf last; exit 7"
    let child = try ChildProcess("/bin/sh", ["-c", script], environment: environment, joinsErrors: true)
    await child.write("hello")
    var lines: [String] = []
    for await line in child.lines { lines.append(line) }
    #expect(lines == ["Raya: hello", "trouble", "last"])
    #expect(await child.wait() == 7)
    // A signal to what has ended goes nowhere, and a line to it is dropped.
    child.send(signal: 9)
    await child.write("still there?")
}

@Test(.timeLimit(.minutes(30))) func `a child ends when its input does, or by a signal that it hears`() async throws {
    let cat = try ChildProcess("/bin/cat", [], environment: environment)
    cat.closeInput()
    #expect(await cat.wait() == 0)
    for signal in [15, 9] as [Int32] {
        let sleeper = try ChildProcess("/bin/sleep", ["60"], environment: environment)
        sleeper.send(signal: signal)
        #expect(await sleeper.wait() == 128 + signal)
    }
}

@Test func `a program that is not there does not start`() {
    let error = #expect(throws: DriverError.self) { try ChildProcess("/no/such/program", []) }
    #expect(error?.description == "cannot start /no/such/program: No such file or directory")
}
