import ChatCodec
import ChatInspect
import ChatModel
import Testing

/// Datagrams of the worked example in Specs/udp-sealed.md.
@Suite struct SealedDatagramTests {
    private static let packet = "020511121314151617186e5200e3dd96310f426c4de9713a5b9df2e2197fb6c5297a116c"
    private static let second = "0205111213141516171806d883cafa65043dfabd222e4798bf838d9c5470fe4f2c197e9a26"
    private static let log = """
        HOP 0102030405060708 1112131415161718 61735a0c027f433eba5eff0f0d40d816f3794a46da764dd768191321a2d950a8 \
        d37732a7a6b196a3da58084289c6730621e1f22c554ee64218cb6b853c709e10 \
        0f32a761e10b4e1e74c44c13fb40f07f8b11570620a2b7625ae8b160b5b6f54fba50ae3991381dea1c2d623e\
        67714750f7424507e6262d3a13811e879b30eba5
        KEY 0102030405060708 1112131415161718 1 \(String(repeating: "77", count: 32))
        """

    private static func parts(_ hex: String, _ log: String) throws -> [DissectionNode] {
        var keys = Keys()
        keys.read(keyLog: log)
        return Inspector(keys).inspect(Bytes(try Hex.decode(hex)), as: .datagram).parts
    }

    @Test func `packets are opened with a key log, under the key that sealed each (UDP2-8, UDP2-10)`() throws {
        for (hex, frames, said) in [(Self.packet, ["PING"], "key 0"), (Self.second, ["PING", "PADDING"], "key 1")] {
            let sealed = try #require(try Self.parts(hex, Self.log).last)
            #expect(Array(sealed.parts.map(\.name).prefix(frames.count)) == frames)
            let remark = try #require(sealed.parts.last)
            #expect("\(remark.value)".contains("to the relay, \(said)"))
        }
    }

    @Test(arguments: ["", "HOP 01 02 03", log.replacing("6173", with: "6174"), log.replacing("1112", with: "1113")])
    func `without the keys a packet stays sealed, and nothing of a log is shown (UDP2-8)`(log: String) throws {
        let parts = try Self.parts(Self.packet, log)
        #expect(parts.map(\.name) == ["version", "kind", "connection id", "masked", "sealed frames"])
        #expect(parts.last?.parts.isEmpty == true)
    }
}
