import ChatCodec
import ChatCrypto
import ChatModel

// Kind `xeddsa`: signatures by X25519 keys.
extension Kind {
    static let xeddsa = Kind(name: "xeddsa", run: operations(["sign": sign, "verify": verify]), files: signatures)

    private static func sign(_ one: Case) async throws -> JSON {
        let (pair, message) = (try one.keyPair("private"), try one.bytes("message"))
        let made = try signatures(of: message, by: pair.secret, z: one.secret("z"))
        for signature in [made.reduced, made.unreduced] {
            try XEdDSA.verify(signature.span, of: message.span, by: pair.publicKey)
        }
        return [
            "public": .hex(pair.publicKey.bytes), "ed25519_sign_bit_before": JSON(Int(XEdDSA.signBit(of: pair.secret))),
            "signature": .hex(made.reduced), "signature_unreduced": .hex(made.unreduced),
        ]
    }

    /// What either kind of signer makes.
    static func signatures(
        of message: [UInt8], by key: Secret, z: Secret
    ) throws -> (reduced: [UInt8], unreduced: [UInt8]) {
        (
            try XEdDSA.sign(message.span, with: key, z: z),
            try XEdDSA.sign(message.span, with: key, z: z, isHashedReduced: false)
        )
    }

    private static func verify(_ one: Case) async throws -> JSON {
        let (signature, message) = (try one.bytes("signature"), try one.bytes("message"))
        try XEdDSA.verify(signature.span, of: message.span, by: PublicKey(try one.bytes("public")))
        return [:]
    }

    private static func signatures(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        func check(
            _ id: String, _ comment: String, _ key: [UInt8], _ message: [UInt8], _ signature: [UInt8],
            error: String? = nil
        ) {
            cases.append(
                draft(
                    id, comment,
                    [
                        "operation": "verify", "public": .hex(key), "message": .hex(message),
                        "signature": .hex(signature),
                    ], error: error))
        }
        for number in 0..<6 {
            let (pair, message) = (
                try maker.keyPair("xeddsa/\(number)"), maker.bytes(40 * number, "xeddsa/message/\(number)")
            )
            let z = maker.bytes(64, "xeddsa/z/\(number)")
            cases.append(
                draft(
                    "sign-\(number)", "either signature is a correct answer; both must verify",
                    [
                        "operation": "sign", "private": .hex(pair.secret), "message": .hex(message), "z": .hex(z),
                    ]))
            let made = try signatures(of: message, by: pair.secret, z: Secret(copying: z.span))
            let (key, good) = (pair.publicKey.bytes, made.reduced)
            check("verify-\(number)", "by the paper", key, message, good)
            check("verify-\(number)-unreduced", "as libxeddsa signs", key, message, made.unreduced)
            check(
                "verify-\(number)-flipped", "one bit of the signature flipped", key, message,
                flipped(good, at: 7 * number, bit: UInt8(number)), error: "authentication_failed")
            check(
                "verify-\(number)-other-message", "another message", key, message + [0], good,
                error: "authentication_failed")
        }
        let (pair, message) = (try maker.keyPair("xeddsa/0"), [UInt8]("hello".utf8))
        let good = try signatures(
            of: message, by: pair.secret, z: Secret(copying: maker.bytes(64, "xeddsa/z").span)
        ).reduced
        let key = pair.publicKey.bytes
        check("short", "63 bytes of signature", key, message, Array(good.dropLast()), error: "malformed")
        check("long", "65 bytes of signature", key, message, good + [0], error: "malformed")
        check("short-key", "31 bytes of key", Array(key.dropLast()), message, good, error: "malformed")
        let order = try Hex.decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        check(
            "s-not-reduced", "the second half with the group order added (CRY-3)", key, message,
            Array(good.prefix(32)) + sum(Array(good.suffix(32)), order), error: "authentication_failed")
        let minusOne = [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        check("key-minus-one", "u = −1 has no Edwards form (CRY-2)", minusOne, message, good, error: "weak_key")
        let prime = [0xED] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        check("key-not-canonical", "u = p stands for 0 (CRY-2)", prime, message, good, error: "weak_key")
        check(
            "key-zero", "u = 0 is of small order (CRY-3)", [UInt8](repeating: 0, count: 32), message, good,
            error: "authentication_failed")
        return [VectorFile("xeddsa.json", kind: "xeddsa", profile: "all", cases: cases)]
    }

    /// The sum of two numbers, least significant byte first.
    private static func sum(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var carry = 0
        return zip(left, right).map { pair in
            let sum = Int(pair.0) + Int(pair.1) + carry
            carry = sum >> 8
            return UInt8(sum & 255)
        }
    }
}
