import ChatModel
import ChatShim
import Testing

@Test(
    .timeLimit(.minutes(30)),
    arguments: [
        ("", "null", "bad_request"), ("{", "null", "bad_request"), ("[]", "null", "bad_request"),
        (#"{"op":"hello"}"#, "null", "bad_request"), (#"{"id":"1","op":"hello"}"#, "null", "bad_request"),
        (#"{"id":1,"op":7}"#, "null", "bad_request"), (#"{"id":1,"op":"dance"}"#, "1", "unknown_op"),
        (#"{"id":2,"op":"save"}"#, "2", "invalid_state"), (#"{"id":3,"op":"create_intro"}"#, "3", "invalid_state"),
        (#"{"id":4,"op":"restore","state":"00"}"#, "4", "malformed"),
        (#"{"id":5,"op":"restore","state":"7b7d"}"#, "5", "malformed"),
        (#"{"id":6,"op":"restore","state":"xyz"}"#, "6", "bad_request"),
    ])
func `a line that is no request is answered with its reason, and the shim goes on`(
    line: String, id: String, code: String
) async {
    var shim = Shim { RepeatableRandom(seed: $0) }
    let answer = await shim.answer(Array(line.utf8))
    #expect(answer.hasPrefix(#"{"id":\#(id),"ok":false,"error":{"code":"\#(code)""#), "\(answer)")
    let hello = await shim.answer(Array(#"{"id":9,"op":"hello","more":[1]}"#.utf8))
    #expect(hello.hasPrefix(#"{"id":9,"ok":true,"protocol":"logos-interop-shim/1""#), "\(hello)")
}

@Test(.timeLimit(.minutes(30))) func `no time that a driver sets ends the shim, whichever way its clock goes`() async {
    var shim = Shim { RepeatableRandom(seed: $0) }
    var id = 0
    func ask(_ request: String) async -> String {
        id += 1
        let answer = await shim.answer(Array(#"{"id":\#(id),\#(request)}"#.utf8))
        #expect(answer.hasPrefix(#"{"id":\#(id),"ok":true"#), "\(request): \(answer)")
        return answer
    }
    _ = await ask(#""op":"create_identity","now_ms":1000"#)
    for time in [2_000, 1_999, 0, UInt64.max, 5, .max - 1, 0, .max] {
        _ = await ask(#""op":"set_time","now_ms":\#(time)"#)
        _ = await ask(#""op":"take_outbound""#)
        _ = await ask(#""op":"create_intro""#)
    }
}
