import ChatCodec
import ChatCrypto

/// Public keys of X25519 that nobody may be named by, or agree with.
enum BadKeys {
    /// The points of low order in their one spelling, by what they are called (CRY-1).
    static let lowOrder: [(name: String, bytes: [UInt8])] = [
        ("zero", small(0)), ("one", small(1)),
        ("order-8-a", hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
        ("order-8-b", hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")),
        ("minus-one", [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f]),
    ]

    /// Another spelling of a key: X25519 does not look at bit 255 (CRY-8).
    static func withTopBit(_ key: [UInt8]) -> [UInt8] {
        var key = key
        key[31] |= 0x80
        return key
    }

    /// The base point 9, written as 9 + p (CRY-8).
    static let baseAboveField = [0xf6] + [UInt8](repeating: 0xff, count: 30) + [0x7f]

    private static func small(_ number: UInt8) -> [UInt8] { [number] + [UInt8](repeating: 0, count: 31) }
    private static func hex(_ text: String) -> [UInt8] { (try? Hex.decode(text)) ?? [] }
}
