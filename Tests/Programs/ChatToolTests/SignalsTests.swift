import ChatPlatform
import ChatTool
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Test(.timeLimit(.minutes(30))) func `a watched signal is heard instead of ending the process`() async throws {
    let signals = try #require(Signals([.user1]))
    var heard = signals.stream().makeAsyncIterator()
    kill(getpid(), SIGUSR1)
    #expect(await heard.next() == .user1)
}
