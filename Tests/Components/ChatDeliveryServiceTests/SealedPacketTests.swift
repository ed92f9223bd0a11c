import ChatCrypto
import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

@Suite struct SealedPacketTests {
    private static let id: UInt64 = 0xAABB_CCDD_EEFF_0011
    private var sealer: PacketSealer
    private var opener: PacketOpener

    init() throws {
        let (sealing, root) = (Secret.repeating(7), Secret.repeating(8, count: 64))
        let key = try PacketKey(sealing: sealing, root: root, label: "to relay")
        (sealer, opener) = (PacketSealer(key), PacketOpener(key))
    }

    private static func packet(_ frames: [UInt8], _ sealer: inout PacketSealer) throws -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try sealer.seal(frames.span, id: id, to: &bytes)
        return bytes
    }

    @Test func `a packet is opened once, whatever came before it (UDP2-8, UDP2-9)`() throws {
        var (sealer, opener) = (sealer, opener)
        let packets = try (0..<200).map { try Self.packet([UInt8($0)], &sealer) }
        var random = SplitMix64(seed: 1)
        for (number, packet) in packets.enumerated().shuffled(using: &random) {
            let opened = try opener.open(packet)
            #expect(opened.number == UInt64(number))
            #expect(opened.frames == [UInt8(number)])
            let before = opener
            #expect(throws: SealedError.replayed(UInt64(number))) { try opener.open(packet) }
            #expect(opener == before)
        }
    }

    @Test func `a packet that was changed anywhere, cut or spliced is refused and changes nothing (UDP2-8)`() throws {
        var (sealer, opener) = (sealer, opener)
        let packet = try Self.packet(Array("frames of Saro".utf8), &sealer)
        let other = try Self.packet(Array("frames of Raya".utf8), &sealer)
        let before = opener
        for index in packet.indices {
            for bit in 0..<8 {
                var changed = packet
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: SealedError.self, "byte \(index)") { try opener.open(changed) }
            }
            let cut = Array(packet[..<index])
            #expect(throws: SealedError.self) { try opener.open(cut) }
            let spliced = Array(packet[..<index] + other[index...])
            if index > 0, spliced != packet, spliced != other {
                #expect(throws: SealedError.self) { try opener.open(spliced) }
            }
        }
        #expect(opener == before)
        let opened = try opener.open(packet)
        #expect(opened.frames == Array("frames of Saro".utf8))
    }

    @Test func `what is masked looks like chance: equal frames under numbers that follow (UDP2-8)`() throws {
        var sealer = sealer
        var ones = [Int](repeating: 0, count: 72)
        for _ in 0..<2_000 {
            let masked = try Self.packet([1], &sealer)[10..<19]
            for (place, byte) in masked.enumerated() {
                for bit in 0..<8 where byte & (1 << UInt8(bit)) != 0 { ones[8 * place + bit] += 1 }
            }
        }
        // 2,000 throws of a coin: eight standard deviations on either side.
        for count in ones { #expect((820...1_180).contains(count)) }
    }

    @Test func `keys are replaced in the middle of traffic that is reordered (UDP2-10)`() throws {
        var (sealer, opener) = (sealer, opener)
        let old = try (0..<4).map { try Self.packet([UInt8($0)], &sealer) }
        try sealer.advance(mixing: .repeating(1))
        let new = try (4..<8).map { try Self.packet([UInt8($0)], &sealer) }
        #expect(throws: SealedError.phase, "nobody has agreed to it") { try opener.open(new[0]) }
        try opener.expect(mixing: .repeating(1))
        for packet in [old[0], new[2], old[3], new[0], old[1], new[3], new[1], old[2]] {
            _ = try opener.open(packet)
        }
        #expect(opener.generation == 1)
        #expect(sealer.generation == 1)
        // A second time, and the one before is forgotten.
        try opener.expect(mixing: .repeating(2))
        let late = try Self.packet([8], &sealer)
        try sealer.advance(mixing: .repeating(2))
        _ = try opener.open(Self.packet([9], &sealer))
        #expect(opener.generation == 2)
        opener.forgetPrevious()
        #expect(throws: SealedError.phase) { try opener.open(late) }
    }

    @Test func `a next key that was not agreed on by both opens nothing (UDP2-10)`() throws {
        var (sealer, opener) = (sealer, opener)
        try sealer.advance(mixing: .repeating(1))
        try opener.expect(mixing: .repeating(2))
        let packet = try Self.packet([1], &sealer)
        let before = opener
        #expect(throws: SealedError.forged) { try opener.open(packet) }
        #expect(opener == before)
    }

    @Test func `numbers that are left out are never used (UDP2-11)`() throws {
        var (sealer, opener) = (sealer, opener)
        _ = try opener.open(Self.packet([1], &sealer))
        sealer.skip(40)
        let opened = try opener.open(Self.packet([2], &sealer))
        #expect(opened.number == 41)
        sealer.skip(.max)
        #expect(throws: SealedError.exhausted) { try Self.packet([3], &sealer) }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `the window takes every number once, like a set that forgets what is old (UDP2-9)`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var (window, seen): (ReplayWindow, Set<UInt64>) = (ReplayWindow(), [])
        var newest: UInt64 = 0
        for step in 0..<3_000 {
            let reach: UInt64 = step % 100 == 99 ? 20_000 : 80
            let above = UInt64.random(in: 0..<reach, using: &random)
            let below = UInt64.random(in: 0..<9_000, using: &random)
            let number = Bool.random(using: &random) ? newest + above : newest - min(newest, below)
            let isNew = !seen.contains(number) && (number >= newest || newest - number < ReplayWindow.size)
            #expect(window.contains(number) == !isNew)
            let isTaken = window.insert(number)
            #expect(isTaken == isNew)
            seen.insert(number)
            newest = max(newest, number)
        }
        #expect(!window.contains(.max))
        let taken = (window.insert(.max), window.insert(.max))
        #expect(taken == (true, false))
    }
}
