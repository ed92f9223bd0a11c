import ChatCrypto
import ChatModel
import TestSupport
import Testing

/// Points of order 1, 2, 4 and 8 and of the twist, little-endian u coordinates.
private let lowOrder = [
    String(repeating: "00", count: 32),
    "01" + String(repeating: "00", count: 31),
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]

@Test(arguments: lowOrder) func `a point of low order agrees on nothing and signs nothing`(u: String) throws {
    let key = PublicKey([UInt8](hex: u))
    let own = Secret([UInt8](repeating: 0x44, count: 32))
    #expect(throws: CryptoError.weakKey("X25519 public key")) { try X25519.agree(own, key) }
    let (signature, message) = ([UInt8](repeating: 0, count: 64), [UInt8]())
    let error = failure { () throws(CryptoError) in
        try XEdDSA.verify(signature.span, of: message.span, by: key)
    }
    #expect(error != nil)
}

@Test(arguments: [
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p, another 0
    "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 9, another base point
    "0900000000000000000000000000000000000000000000000000000000000080",  // 9 with the top bit
])
func `a key that is not canonically encoded signs nothing, though X25519 takes it`(u: String) throws {
    let key = PublicKey([UInt8](hex: u))
    let (signature, message) = ([UInt8](repeating: 0, count: 64), [UInt8]())
    #expect(throws: CryptoError.weakKey("X25519 public key")) {
        try XEdDSA.verify(signature.span, of: message.span, by: key)
    }
}

@Test func `hostile Ed25519 signatures are judged as libsodium does, and XEdDSA follows`() throws {
    guard let file = try Vectors.load("cctv/ed25519vectors.json") else { return }
    // Low-order parts that cancel are accepted; low-order points, residues and other encodings are not.
    let accepted: Set<Set<String>> = [
        [], ["low_order_component_A"], ["low_order_component_R", "low_order_component_A"],
    ]
    var (passed, compared) = (0, 0)
    try Vectors.run(file.list(), of: "cctv/ed25519vectors.json") { vector in
        let (key, signature) = try (vector.bytes("key"), vector.bytes("sig"))
        let message = Array(try vector.text("msg").utf8)
        let flags = Set(vector.has("flags") ? try vector.texts("flags") : [])
        let isGood =
            failure { () throws(CryptoError) in
                try Ed25519.verify(signature.span, of: message.span, by: PublicKey(key))
            } == nil
        #expect(isGood == accepted.contains(flags), "\(vector) \(flags.sorted())")
        passed += isGood ? 1 : 0

        let isNegative = key[31] & 0x80 != 0
        guard let y = FieldElement(canonical: key.dropLast() + [key[31] & 0x7F]), y != .one else { return }
        let u = (FieldElement.one + y) * (FieldElement.one - y).inverse
        let isGoodByU =
            failure { () throws(CryptoError) in
                try XEdDSA.verify(signature.span, of: message.span, by: PublicKey(u.bytes))
            } == nil
        #expect(isGoodByU == (isGood && !isNegative), "\(vector)")
        compared += 1
    }
    print("vectors: cctv/ed25519vectors.json: \(passed) accepted, \(compared) compared with XEdDSA")
}
