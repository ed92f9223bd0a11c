import ChatWire
import TestSupport
import Testing

struct JSONTests {
    @Test(
        arguments: [
            ("null", JSON.null), (" true ", true), ("-1", -1), ("0", 0), ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .unsigned(1 << 63)),
            ("18446744073709551615", .unsigned(.max)), ("18446744073709551616", .number(18_446_744_073_709_551_616)),
            ("1.5", 1.5), ("-0.25E+2", -25.0), ("1e3", .number(1000)), ("\"\"", ""), ("[]", []),
            ("{}", .object(.init())),
            ("[1,[2],{\"a\":null}]", [1, [2], ["a": nil]]), ("\"\\u00e9\\n\\/\\ud83d\\ude00\"", "é\n/😀"),
            ("\"é\"", "é"),
        ] as [(String, JSON)])
    func `a text is read as its value`(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    @Test(arguments: [
        ("", WireError.truncated(needed: 1, at: 0)), ("[1,]", .badCharacter(at: 3)), ("[1 2]", .badCharacter(at: 3)),
        ("{\"a\" 1}", .badCharacter(at: 5)), ("{a:1}", .badCharacter(at: 1)), ("{\"a\":1,}", .badCharacter(at: 7)),
        ("[1", .truncated(needed: 1, at: 2)), ("01", .badCharacter(at: 1)), ("+1", .badCharacter(at: 0)),
        (".5", .badCharacter(at: 0)), ("1.", .truncated(needed: 1, at: 2)), ("1e", .truncated(needed: 1, at: 2)),
        ("-", .truncated(needed: 1, at: 1)), ("1e999", .badNumber(at: 0)), ("tru", .truncated(needed: 1, at: 3)),
        ("NaN", .badCharacter(at: 0)), ("nul1", .badCharacter(at: 3)), ("1 1", .badCharacter(at: 2)),
        ("\"a", .truncated(needed: 1, at: 2)), ("\"a\nb\"", .badCharacter(at: 2)), ("\"\\x\"", .badCharacter(at: 1)),
        ("\"\\ud800\"", .badCharacter(at: 1)), ("\"\\udc00\\ud800\"", .badCharacter(at: 1)),
        ("\"\\ud800\\u0041\"", .badCharacter(at: 1)), ("\"\\u12g4\"", .badCharacter(at: 5)),
        ("{\"a\":1,\"b\":2,\"a\":3}", .duplicateKey("a", at: 13)),
        ("{\"a\":1,\"\\u0061\":3}", .duplicateKey("a", at: 7)),
        ("// no\n1", .badCharacter(at: 0)), ("'a'", .badCharacter(at: 0)),
    ])
    func `what is no JSON is refused with the place`(text: String, error: WireError) {
        #expect(throws: error) { try JSON(parsing: text) }
    }

    @Test func `text that is not UTF-8 is refused with the place`() {
        #expect(throws: WireError.notUTF8(at: 2)) { try JSON(parsing: [0x22, 0x61, 0xff, 0x22]) }
        // An overlong form of "/", and half of a surrogate pair.
        #expect(throws: WireError.notUTF8(at: 1)) { try JSON(parsing: [0x22, 0xc0, 0xaf, 0x22]) }
        #expect(throws: WireError.notUTF8(at: 1)) { try JSON(parsing: [0x22, 0xed, 0xa0, 0x80, 0x22]) }
    }

    @Test func `depth and size are bounded with numbers`() throws {
        let depth = JSON.maximumDepth
        let deepest = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(throws: Never.self) { try JSON(parsing: deepest) }
        #expect(throws: WireError.tooDeep(limit: depth, at: depth)) { try JSON(parsing: "[" + deepest + "]") }
        #expect(throws: WireError.tooDeep(limit: depth, at: depth)) {
            try JSON(parsing: String(repeating: "[", count: 100_000))
        }
        #expect(throws: WireError.tooLong("JSON text", bytes: 3, limit: 2)) {
            try JSON(parsing: "123", maximumBytes: 2)
        }
    }

    @Test func `objects keep their order, compact and pretty`() throws {
        let value: JSON = ["z": [1, 2.5, "q\"\\\u{1}"], "a": ["deep": .null, "list": []], "empty": .object(.init())]
        #expect(value.description == #"{"z":[1,2.5,"q\"\\\u0001"],"a":{"deep":null,"list":[]},"empty":{}}"#)
        let pretty = """
            {
              "z": [
                1,
                2.5,
                "q\\"\\\\\\u0001"
              ],
              "a": {
                "deep": null,
                "list": []
              },
              "empty": {}
            }
            """
        #expect(value.printed(pretty: true) == pretty)
        #expect(try JSON(parsing: pretty) == value)
    }

    @Test func `values are reached by key and type`() throws {
        let value = try JSON(
            parsing: #"{"id":7,"big":18446744073709551615,"ok":true,"name":"Saro","list":[1],"half":0.5}"#)
        #expect(value["id"]?.int == 7 && value["id"]?.uint64 == 7 && value["id"]?.double == 7)
        #expect(value["big"]?.uint64 == .max && value["big"]?.int == nil)
        #expect(value["ok"]?.bool == true && value["name"]?.text == "Saro" && value["list"]?.list == [1])
        #expect(value["half"]?.double == 0.5 && value["half"]?.int == nil && value["missing"] == nil)
        #expect(value.members?.map(\.key) == ["id", "big", "ok", "name", "list", "half"])
        var object = JSON.Object()
        object["a"] = 1
        object["b"] = 2
        object["a"] = nil
        object["b"] = 3
        #expect(JSON.object(object).description == #"{"b":3}"#)
    }

    @Test func `what was read from 200,000 hostile texts prints and reads as the same value`() {
        let valid = [#"{"a":[1,-2.5e3,"x\u00e9"],"b":{"c":null}}"#, "[true,false,18446744073709551615]"]
        var inputs = HostileInputs(seed: 5, valid: valid.map { Array($0.utf8) }, longest: 24)
        var (read, different) = (0, 0)
        inputs.forEach { bytes in
            guard let value = try? JSON(parsing: bytes) else { return }
            read += 1
            if read % 64 == 0, (try? JSON(parsing: value.description)) != value { different += 1 }
        }
        #expect(read > 1_000 && different == 0)
    }
}
