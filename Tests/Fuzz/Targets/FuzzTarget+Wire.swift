import ChatCodec
import ChatModel
import LogosFormats

extension FuzzTarget {
    /// The formats that several components share.
    static func wire() -> [FuzzTarget] { [proto, json] }

    /// A message that is read is written, and read the same.
    private static let proto = FuzzTarget(
        "proto",
        seeds: [
            EncryptedPayload.plaintext(Bytes("plain")).encoded().array,
            EncryptedPayload.doubleRatchet(
                DoubleRatchetMessage(
                    dh: Bytes([UInt8](repeating: 0x11, count: 32)), number: 300, previousChainLength: 2,
                    ciphertext: Bytes([UInt8](repeating: 0x22, count: 28)))
            ).encoded().array,
            [0x1A, 0x0B, 0x0A, 0x04, 0x0A, 0x02, 0x01, 0x02, 0x12, 0x03, 0x01, 0x02, 0x03],
        ]
    ) { bytes in
        guard let message = try? EncryptedPayload(decoding: Bytes(bytes)) else { return false }
        let again = message.encoded()
        try demand(again.count == message.size, "\(message.size) bytes announced, \(again.count) written")
        try demand((try? EncryptedPayload(decoding: again)) == message, "another message when written and read again")
        return true
    }

    /// A value that is read is printed, and read the same.
    private static let json = FuzzTarget(
        "json",
        seeds: [
            #"{"id": 1, "op": "hello", "list": [true, false, null, -0.5e-3, 18446744073709551615], "text": "\ud83d\ude00\n"}"#,
            #"[[[]], {}, "", -9223372036854775808, 1e308, "\u0000é"]"#,
        ].map { Array($0.utf8) }
    ) { bytes in
        guard let value = try? JSON(parsing: bytes) else { return false }
        for text in [value.printed(), value.printed(pretty: true)] {
            try demand((try? JSON(parsing: text)) == value, "another value when printed and read again: \(text)")
        }
        return true
    }
}
