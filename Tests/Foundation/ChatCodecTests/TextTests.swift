import ChatCodec
import TestSupport
import Testing

struct TextTests {
    @Test(arguments: [
        ("", ""), ("66", "Zg"), ("666f", "Zm8"), ("666f6f", "Zm9v"), ("666f6f62", "Zm9vYg"), ("666f6f6261", "Zm9vYmE"),
        ("666f6f626172", "Zm9vYmFy"), ("fbff", "-_8"),
    ])
    func `base64url is that of RFC 4648 without padding`(hex: String, text: String) throws {
        let bytes = [UInt8](hex: hex)
        #expect(Base64URL.encode(bytes) == text)
        #expect(try Base64URL.decode(text) == bytes)
    }

    @Test(arguments: [
        ("Zg==", WireError.badCharacter(at: 2)), ("Zm9v=", .truncated(needed: 1, at: 5)),
        ("Z", .truncated(needed: 1, at: 1)),
        ("Zm 8", .badCharacter(at: 2)), ("Zm8\n", .badCharacter(at: 3)), ("+/8", .badCharacter(at: 0)),
        ("Zh", .notCanonical(at: 1)), ("Zm9", .notCanonical(at: 2)), ("Zmé8", .truncated(needed: 1, at: 5)),
    ])
    func `base64url of any other form is refused with the place`(text: String, error: WireError) {
        #expect(throws: error) { try Base64URL.decode(text) }
    }

    @Test func `hex is written in lowercase and read in either case`() throws {
        #expect(Hex.encode([0x00, 0xab, 0xff]) == "00abff")
        #expect(try Hex.decode("00aBFf") == [0x00, 0xab, 0xff])
        #expect(try Hex.decode("") == [])
    }

    @Test(arguments: [
        ("0", WireError.truncated(needed: 1, at: 1)), ("0g", .badCharacter(at: 1)), ("0x00", .badCharacter(at: 1)),
        (" 00", .badCharacter(at: 0)), ("é", .badCharacter(at: 0)),
    ])
    func `hex of any other form is refused with the place`(text: String, error: WireError) {
        #expect(throws: error) { try Hex.decode(text) }
    }

    @Test func `a text that decodes is the text of what it decodes to, for 200,000 hostile inputs`() {
        var inputs = HostileInputs(seed: 4, valid: [Array("Zm9vYmFy".utf8), Array("-_8".utf8)], longest: 12)
        var (decoded, different) = (0, 0)
        inputs.forEach { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            if let value = try? Base64URL.decode(text) {
                decoded += 1
                if Base64URL.encode(value) != text { different += 1 }
            }
            if let value = try? Hex.decode(text), Hex.encode(value) != text.lowercased() { different += 1 }
        }
        #expect(decoded > HostileInputs.usualCount / 20 && different == 0)
    }
}
