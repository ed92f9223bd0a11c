import ChatModel
import Dispatch
import Foundation

/// The terminal while each key comes at once; it gets back what it had however the program ends.
///
/// Signals that end the program, or stop it for a while, restore it first, and so does every exit.
final class Terminal {
    private static let before = Lock<termios?>(nil)
    private let sources: [any DispatchSourceSignal]

    /// Whether a person types and reads.
    static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    /// Nil where the terminal does not allow it.
    ///
    /// The signals are heard before the terminal changes: one that came in between would end the program and leave the
    /// terminal without lines.
    init?() {
        let heard = DispatchGroup()
        sources = Self.signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { Terminal.obey(number) }
            heard.enter()
            source.setRegistrationHandler { heard.leave() }
            source.resume()
            return source
        }
        heard.wait()
        guard Self.enter() else {
            for source in sources { source.cancel() }
            for number in Self.signals { signal(number, SIG_DFL) }
            return nil
        }
        atexit { Terminal.restore() }
    }

    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT]

    /// Without lines and echo; signals and the ends of lines stay as they are, and so does what was typed already.
    private static func enter() -> Bool {
        var settings = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { return false }
        let found = settings
        before.withLock { $0 = $0 ?? found }
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
        unsafe withUnsafeMutableBytes(of: &settings.c_cc) { unsafe ($0[Int(VMIN)], $0[Int(VTIME)]) = (1, 0) }
        return unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0
    }

    static func restore() {
        guard var settings = before.withLock({ $0 }) else { return }
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    /// Does what the signal is for, with the terminal as it was.
    private static func obey(_ number: Int32) {
        // Whoever stops goes on for a moment, on this thread, until another thread has taken the signal. So the terminal
        // changes again only when the system says that the program goes on.
        guard number != SIGCONT else {
            _ = enter()
            return
        }
        restore()
        guard number != SIGTSTP else {
            kill(getpid(), SIGSTOP)
            return
        }
        signal(number, SIG_DFL)
        kill(getpid(), number)
    }

    /// Bytes as they are typed; reading blocks a thread of its own.
    func bytes() -> AsyncStream<UInt8> {
        let (stream, feed) = AsyncStream<UInt8>.makeStream()
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = unsafe read(STDIN_FILENO, &byte, 1)
                if count == 1 { feed.yield(byte) } else if count == 0 || errno != EINTR { break }
            }
            feed.finish()
        }
        return stream
    }
}
