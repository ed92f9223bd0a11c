import ChatDriver
import ChatModel
import ChatPlatform
import Foundation
import Testing

/// A program in a pseudo-terminal of its own, as a person uses it.
final class TerminalProgram: Sendable {
    private let id: pid_t
    private let terminal: Int32
    private let shown = Lock("")

    /// Starts a program of this package in a terminal of 80 columns.
    init(_ program: String, _ arguments: [String], environment: [String] = []) throws {
        // The calls of the C library are not imported: TIOCSPTLCK unlocks the other end, TIOCGPTN gives its number.
        terminal = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (unlocked, number): (Int32, Int32) = (0, 0)
        try #require(unsafe ioctl(terminal, 0x4004_5431, &unlocked) == 0)
        try #require(unsafe ioctl(terminal, 0x8004_5430, &number) == 0)
        let name = "/dev/pts/\(number)"
        _ = fcntl(terminal, F_SETFD, FD_CLOEXEC)
        var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe ioctl(terminal, UInt(TIOCSWINSZ), &size)
        // A session of its own, so that the terminal's keys reach the program as signals.
        let child = try StartedProgram(
            [
                "setsid", "-w", "/bin/sh", "-c", #"t=$1; shift; exec "$@" <"$t" >"$t" 2>&1"#, "sh", name,
                Programs.directory + "/" + program,
            ] + arguments,
            environment: currentEnvironment() + environment)
        close(child.input)
        close(child.output)
        id = child.id
        Thread.detachNewThread { [terminal, self] in
            var bytes = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = unsafe read(terminal, &bytes, bytes.count)
                guard count > 0 else { return }
                let text = String(decoding: bytes[..<count], as: UTF8.self)
                shown.withLock { $0 += text }
            }
        }
    }

    /// Types some keys.
    func type(_ text: String) {
        let bytes = Array(text.utf8)
        unsafe bytes.withUnsafeBytes { _ = unsafe write(terminal, $0.baseAddress, $0.count) }
    }

    /// Everything that the terminal has shown.
    var screen: String { shown.withLock { $0 } }

    /// Whether the terminal shows what is typed.
    var echoes: Bool {
        var settings = termios()
        return unsafe tcgetattr(terminal, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
    }

    /// Waits until a text has been shown so many times.
    func shows(_ text: String, times: Int = 1, within limit: Duration = .seconds(60)) async -> Bool {
        let end = ContinuousClock.now + limit
        while screen.components(separatedBy: text).count <= times {
            guard ContinuousClock.now < end else { return false }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return true
    }

    /// How the program ended: its exit code, or 128 and the signal; killed after two minutes.
    func end() async -> Int32 { await endOf(id) }

    deinit { close(terminal) }
}

/// How a process ended: its exit code, or 128 and the signal; killed after two minutes.
func endOf(_ id: pid_t) async -> Int32 {
    var status: Int32 = 0
    let limit = ContinuousClock.now + .seconds(120)
    while unsafe waitpid(id, &status, WNOHANG) == 0 {
        if ContinuousClock.now > limit { kill(id, SIGKILL) }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
}
