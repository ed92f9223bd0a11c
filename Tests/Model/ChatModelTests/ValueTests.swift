import ChatModel
import TestSupport
import Testing

@Test func `time adds up to the end of time and never runs over`() {
    let moment = Timestamp(milliseconds: 1_500)
    #expect(moment + .milliseconds(250) == Timestamp(milliseconds: 1_750))
    #expect(moment + .seconds(2) == Timestamp(milliseconds: 3_500))
    #expect(moment + .microseconds(999) == moment && moment + .microseconds(1_000) == Timestamp(milliseconds: 1_501))
    #expect(moment + .seconds(-1) == moment, "the past does not come back")
    let last = Timestamp(milliseconds: .max)
    #expect(moment + .seconds(Int64.max) == last && last + .milliseconds(1) == last)
    #expect(Timestamp(milliseconds: .max - 1) + .milliseconds(1) == last)
}

@Test func `the time since a later moment is zero`() {
    let (early, late) = (Timestamp(milliseconds: 10), Timestamp(milliseconds: 35))
    #expect(late.since(early) == .milliseconds(25) && early.since(late) == .zero && late.since(late) == .zero)
    #expect(Timestamp(milliseconds: .max).since(.zero) == .milliseconds(Int64.max))
    #expect(early < late && !(late < late) && "\(late)" == "35")
}

@Test func `routes are equal by id and secret`() {
    let key = Secret(count: 32) { $0[0] = 1 }
    let other = Secret(count: 32) { $0[0] = 2 }
    #expect(Route("a", secret: key) == Route("a", secret: Secret(count: 32) { $0[0] = 1 }))
    #expect(
        Route("a", secret: key) != Route("a", secret: other) && Route("a") != Route("b")
            && Route("a") != Route("a", secret: key))
    #expect("\(Route("a", secret: key))" == "a")
}

@Test func `refusals compare by outcome and what they say`() {
    let refusal = Refusal(.invalid, CommonCause.malformed("frame", at: 3))
    #expect(refusal == Refusal(.invalid, CommonCause.malformed("frame", at: 3)))
    #expect(refusal != Refusal(.unsupported, CommonCause.malformed("frame", at: 3)))
    #expect(refusal != Refusal(.invalid, CommonCause.malformed("frame", at: 4)))
    #expect("\(refusal)" == "invalid: frame is malformed at byte 3")
}

@Test func `identifiers print as the specifications write them`() {
    #expect(ConversationID(bytes: [0x0A, 0xFF]).text == "0aff")
    #expect("\(PayloadID(high: 1, low: 0xFF))" == "000000000000000100000000000000ff")
    #expect("\(PublicKey([0xDE, 0xAD]))" == "dead" && ContentID(1) < ContentID(2))
}

@Test func `a type's name with parameters parses back, and has one spelling (TYPE-2)`() {
    let type = ConversationType("base", parameters: ["z": "1", "a": "x=y"])
    #expect(type.name == "base;a=x=y;z=1" && type.base == "base" && type.parameters == ["a": "x=y", "z": "1"])
    #expect(ConversationType("base").parameters == [:] && ConversationType("base", parameters: [:]).name == "base")
    for malformed in ["base;", "base;a", "base;a=", "base;=1", "base;a=1;a=2", "base;a=1;"] {
        #expect(ConversationType(malformed).parameters == nil, "\(malformed)")
        #expect(ConversationType(malformed).base == "base")
    }
}
