import ChatCrypto
import ChatModel
import Testing

@Test func `the system's generator fills every byte`() {
    var random: any RandomSource = SystemRandom()
    var seen = [UInt8](repeating: 0, count: 13)
    for _ in 0..<64 {
        for (index, byte) in random.bytes(13, for: .nonce).enumerated() { seen[index] |= byte }
    }
    #expect(seen.allSatisfy { $0 != 0 })
}

@Test func `the time of day is in milliseconds since 1970`() {
    let (first, second) = (Timestamp.wallClock(), Timestamp.wallClock())
    // The first of January of 2025, and of 2200.
    #expect((1_735_689_600_000..<7_258_118_400_000).contains(first.milliseconds))
    #expect(second.milliseconds < first.milliseconds + 60_000)
}
