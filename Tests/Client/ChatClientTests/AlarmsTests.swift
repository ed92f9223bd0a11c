@testable import ChatClient
import ChatModel
import TestSupport
import Testing

@Suite struct AlarmsTests {
    @Test func `the heap wakes whom a plain table would wake, whatever is set and taken (STATE-2)`() {
        var dice = SeededRandom(3)
        func pick(_ count: Int) -> Int { Int(dice.bytes(1, for: .identifier)[0]) % count }
        let owners = [Owner.initialization] + (0..<6).map { .conversation(ConversationID("c\($0)")) }
        var (alarms, table): (Alarms, [Owner: Timestamp]) = (Alarms(), [:])
        for _ in 0..<20_000 {
            let owner = owners[pick(owners.count)]
            switch pick(8) {
            case 0:
                let now = Timestamp(milliseconds: UInt64(pick(200)))
                let due = Set(table.filter { $0.value <= now }.keys)
                #expect(Set(alarms.takeDue(at: now)) == due)
                for owner in due { table[owner] = nil }
            case 1:
                alarms.set(nil, for: owner)
                table[owner] = nil
            default:
                let time = Timestamp(milliseconds: UInt64(pick(250)))
                alarms.set(time, for: owner)
                table[owner] = time
            }
            #expect(alarms.next == table.values.min())
            #expect(alarms[owner] == table[owner])
        }
    }

    @Test func `a machine that wants to be woken in the past is woken once a second (STATE-3)`() throws {
        var now = Timestamp(milliseconds: 1_700_000_000_000)
        var core = try ChatCore(
            RestlessInitialization(), conversations: [ToyConversation.type], framing: ToyFraming(),
            delivery: DeliveryLimits(maximumPayload: 1_000), random: SeededRandom(1), now: now)
        _ = try core.introduce(1, now: now)
        var wakes = 0
        while let next = core.nextAlarm, next <= Timestamp(milliseconds: 1_700_000_010_000), wakes < 100 {
            now = max(now, next)
            core.wake(now: now)
            wakes += 1
        }
        #expect(wakes == 11)
    }
}

/// States a time that is long past, whatever happens.
private struct RestlessInitialization: InitializationProtocol {
    private var toy = ToyInitialization("saro")
    var facts: Facts { toy.facts }
    var listening: [Listening] { toy.listening }
    var nextWake: Timestamp? { Timestamp(milliseconds: 1) }
    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        try toy.introduce(count, in: &step)
    }
    mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        try toy.begin(type, with: bundle, as: contact, in: &step)
    }
    mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        try toy.invite(contact, opening: opening, for: content, in: &step)
    }
    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) { try toy.receive(routed, in: &step) }
}
