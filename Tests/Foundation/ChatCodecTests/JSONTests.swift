import ChatCodec
import TestSupport
import Testing

struct JSONTests {
    @Test(
        arguments: [
            ("null", JSON.null), (" true ", true), ("-1", -1), ("0", 0), ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .unsigned(1 << 63)),
            ("18446744073709551615", .unsigned(.max)), ("1e20", .number(100_000_000_000_000_000_000)),
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
        ("-", .truncated(needed: 1, at: 1)), ("1e", .truncated(needed: 1, at: 2)),
        ("tru", .truncated(needed: 1, at: 3)),
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

    @Test(arguments: [
        "18446744073709551616", "-9223372036854775809", "1e400", "-1E-400", "0.1000000000000000055511151231257827",
        "123456789012345678901234567890.12345678901234567890", "1e99999999999999999999",
    ])
    func `a number that no double holds keeps every digit`(text: String) throws {
        let value = try JSON(parsing: text)
        guard case .decimal(let decimal) = value else {
            Issue.record("\(text) is \(value)")
            return
        }
        #expect(decimal.description == text && value.description == text && JSON.Decimal(text) == decimal)
    }

    @Test(arguments: [
        ("1", "1.0", true), ("1", "1e0", true), ("1e2", "100", true), ("-0", "0", true), ("0.0e5", "0", true),
        ("1e400", "10e399", true), ("1e400", "1e401", false), ("1e400", "-1e400", false),
        ("9007199254740993", "9007199254740992.0", false), ("0.10", "0.1", true),
        ("18446744073709551616", "18446744073709551616.000", true),
        ("1e00099999999999999999999", "1e99999999999999999999", true),
        ("1e99999999999999999999", "1e-99999999999999999999", false), ("1", "\"1\"", false), ("null", "false", false),
        (#"{"a":1,"b":[2]}"#, #"{"b":[2.0],"a":1}"#, true), (#"{"a":1,"b":2}"#, #"{"a":1,"c":2}"#, false),
        (#"{"a":1}"#, #"{"a":1,"b":2}"#, false), ("[1,2]", "[2,1]", false), (#""\u00e9""#, #""e\u0301""#, false),
        (#"{"\u00e9":1,"e\u0301":2}"#, #"{"e\u0301":2,"\u00e9":1}"#, true),
    ])
    func `values are compared as values: numbers by value, keys in any order, texts byte for byte`(
        left: String, right: String, isSame: Bool
    ) throws {
        let (left, right) = (try JSON(parsing: left), try JSON(parsing: right))
        #expect(left.isSameValue(as: right) == isSame && right.isSameValue(as: left) == isSame)
    }

    @Test func `keys that only look alike are two keys`() throws {
        let value = try JSON(parsing: #"{"\u00e9":1,"e\u0301":2}"#)
        #expect(value["\u{e9}"] == 1 && value["e\u{301}"] == 2)
        let many = (0..<40).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        #expect(try JSON(parsing: "{\(many)}").members?.count == 40)
        #expect(throws: WireError.duplicateKey("k39", at: many.utf8.count + 2)) {
            try JSON(parsing: "{\(many),\"k39\":0}")
        }
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
        let deeper = Array((String(repeating: "[", count: 128) + String(repeating: "]", count: 128)).utf8)
        let value = try JSON(parsing: deeper.span, maximumDepth: 128)
        #expect(value.description.utf8.count == 256)
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
        let valid = [
            #"{"a":[1,-2.5e3,"x\u00e9"],"b":{"c":null}}"#, "[true,false,18446744073709551615]",
            "[1e400,0.30000000000000000001]",
        ]
        var inputs = HostileInputs(seed: 5, valid: valid.map { Array($0.utf8) }, longest: 24)
        var (read, different) = (0, 0)
        inputs.forEach { bytes in
            guard let value = try? JSON(parsing: bytes) else { return }
            read += 1
            if read % 64 == 0, (try? JSON(parsing: value.description)) != value { different += 1 }
        }
        #expect(read > HostileInputs.usualCount / 200 && different == 0)
    }
}
