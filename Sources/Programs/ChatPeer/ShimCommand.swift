import ChatClient
import ChatCrypto
import ChatModel
import ChatPlatform
import ChatShim
import ChatTool
import ChatVariants

/// `chat-peer shim`: one participant for an interoperability driver, on standard input and output.
enum ShimCommand {
    /// Answers requests, a line each, until `shutdown` or the end of the input.
    ///
    /// - Parameters:
    ///   - suite: profile `libchat` where nil.
    ///   - additions: components from outside that the suite may name.
    ///   - seed: makes everything the participant draws repeatable; for vectors and tests, never for keys that matter.
    static func run(
        _ suite: SuiteName?, adding additions: @escaping Variants.Additions, seed: UInt64?
    ) async -> ExitCode {
        var shim = Shim(suite ?? Shim.libchat, adding: additions) { run -> any RandomSource in
            // Each run of a seeded participant draws a sequence of its own.
            seed.map { RepeatableRandom(seed: $0 ^ run << 48) } ?? SystemRandom()
        }
        var input = StandardInput(maximumLine: Shim.maximumLine)
        do throws(ErrorNumber) {
            while !shim.isShutDown, let line = try await input.next() {
                switch line {
                case .text(let text) where text.isEmpty: continue
                case .text(let text): Terminal.print(await shim.answer(Array(text.utf8)))
                case .tooLong(let limit):
                    Terminal.print(await shim.answer([UInt8](repeating: 0x20, count: limit + 1)))
                }
            }
            return .success
        } catch {
            Terminal.complain("chat-peer shim: standard input: \(error)")
            return .failure
        }
    }
}
