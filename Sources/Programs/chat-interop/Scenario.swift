import ChatCodec
import ChatModel

/// One story that two participants must get through.
struct Scenario: Sendable {
    let name: String
    let run: @Sendable (Stage) throws(Failure) -> Void

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func contents(_ count: Int) -> [[UInt8]] { (0..<count).map { text("content \($0)") } }

    static let all: [Scenario] = [
        Scenario(name: "first contact") { (stage) throws(Failure) in _ = try stage.meet() },
        Scenario(name: "both ways") { (stage) throws(Failure) in
            let ids = try stage.meet()
            for _ in 0..<4 {
                try stage.pass(contents(3), from: stage.raya, ids)
                try stage.pass(contents(2), from: stage.saro, ids)
            }
            try stage.pass([[]], from: stage.raya, ids)
        },
        Scenario(name: "lost payloads") { (stage) throws(Failure) in
            let ids = try stage.meet()
            let skip = min(5, try stage.raya.maximumSkip())
            for content in contents(skip) { try stage.saro.send(content, in: ids.saro) }
            _ = try stage.saro.takeOutbound()
            try stage.saro.send(text("after the gap"), in: ids.saro)
            try stage.hand(try stage.saro.takeOutbound(), to: stage.raya, expecting: .accepted)
            // What was lost comes again, where somebody sends it again.
            let lost = stage.isReliable ? contents(skip) : []
            try stage.wait(for: lost + [text("after the gap")], in: ids.raya, at: stage.raya)
            try stage.pass([text("answer")], from: stage.raya, ids)
        },
        Scenario(name: "reordered payloads") { (stage) throws(Failure) in
            let ids = try stage.meet()
            for content in contents(8) { try stage.saro.send(content, in: ids.saro) }
            let parcels = try stage.saro.takeOutbound()
            try stage.hand(parcels.reversed(), to: stage.raya, expecting: .accepted)
            try stage.check(try stage.raya.takeEvents(), contents(8), in: ids.raya, at: stage.raya, inOrder: false)
        },
        Scenario(name: "late payloads of an earlier turn") { (stage) throws(Failure) in
            let ids = try stage.meet()
            for content in contents(2) { try stage.saro.send(content, in: ids.saro) }
            let late = try stage.saro.takeOutbound()
            try stage.pass([text("turn")], from: stage.raya, ids)
            try stage.saro.send(text("new turn"), in: ids.saro)
            try stage.hand(try stage.saro.takeOutbound(), to: stage.raya, expecting: .accepted)
            let early = stage.isReliable ? [] : [text("new turn")]
            try stage.check(try stage.raya.takeEvents(), early, in: ids.raya, at: stage.raya)
            try stage.hand(late, to: stage.raya, expecting: .accepted)
            let rest = contents(2) + (stage.isReliable ? [text("new turn")] : [])
            try stage.wait(for: rest, in: ids.raya, at: stage.raya)
        },
        Scenario(name: "duplicated payloads") { (stage) throws(Failure) in
            let ids = try stage.meet()
            try stage.saro.send(text("once"), in: ids.saro)
            let parcels = try stage.saro.takeOutbound()
            try stage.hand(parcels, to: stage.raya, expecting: .accepted)
            try stage.check(try stage.raya.takeEvents(), [text("once")], in: ids.raya, at: stage.raya)
            try stage.hand(parcels, to: stage.raya, expecting: .rejected)
            try stage.checkQuiet(stage.raya)
            try stage.pass([text("next")], from: stage.saro, ids)
        },
        Scenario(name: "late payload twice") { (stage) throws(Failure) in
            let ids = try stage.meet()
            try stage.saro.send(text("early"), in: ids.saro)
            let late = try stage.saro.takeOutbound()
            try stage.saro.send(text("late"), in: ids.saro)
            try stage.hand(try stage.saro.takeOutbound(), to: stage.raya, expecting: .accepted)
            try stage.hand(late, to: stage.raya, expecting: .accepted)
            try stage.check(
                try stage.raya.takeEvents(), [text("early"), text("late")], in: ids.raya, at: stage.raya, inOrder: false
            )
            // Its key was kept for it, and is gone.
            try stage.hand(late, to: stage.raya, expecting: .rejected)
            try stage.checkQuiet(stage.raya)
            try stage.pass([text("next")], from: stage.saro, ids)
        },
        Scenario(name: "more missing than is waited for") { (stage) throws(Failure) in
            // Elsewhere such a gap may be allowed (DR-7).
            guard stage.profile == "libchat" else { return _ = try stage.meet() }
            let ids = try stage.meet()
            let skip = try stage.raya.maximumSkip()
            guard (0...2_000).contains(skip) else {
                throw Failure("\(stage.raya.implementation.name), hello: max_skip is \(skip)")
            }
            for content in contents(skip + 2) { try stage.saro.send(content, in: ids.saro) }
            let parcels = try stage.saro.takeOutbound()
            try stage.hand(Array(parcels.suffix(1)), to: stage.raya, expecting: .rejected)
            try stage.checkQuiet(stage.raya)
            // Nothing has changed: with one less missing, it is taken.
            try stage.hand(Array(parcels.prefix(1)), to: stage.raya, expecting: .accepted)
            try stage.hand(Array(parcels.suffix(1)), to: stage.raya, expecting: .accepted)
            try stage.check(
                try stage.raya.takeEvents(), [contents(1)[0], text("content \(skip + 1)")], in: ids.raya, at: stage.raya
            )
        },
        Scenario(name: "forged link") { (stage) throws(Failure) in
            let link = try stage.raya.createIntro()
            for forged in ForgedLinks(like: link).all { try stage.saro.mustRefuse(forged.link, forged.what) }
            let id = try stage.saro.initiate(link, text("hello"))
            try stage.hand(try stage.saro.takeOutbound(), to: stage.raya, expecting: .accepted)
            try stage.pass(
                [text("next")], from: stage.saro, (id, try stage.checkBegan([text("hello")], at: stage.raya)))
        },
        Scenario(name: "tampered payloads") { (stage) throws(Failure) in
            let ids = try stage.meet()
            try stage.saro.send(text("genuine"), in: ids.saro)
            let parcels = try stage.saro.takeOutbound()
            for parcel in parcels {
                for back in [1, 17, 40] where back < parcel.payload.count {
                    var altered = parcel
                    altered.payload[parcel.payload.count - back] ^= 0x10
                    try stage.hand([altered], to: stage.raya, expecting: .rejected)
                }
                try stage.checkQuiet(stage.raya)
            }
            try stage.hand(parcels, to: stage.raya, expecting: .accepted)
            try stage.check(try stage.raya.takeEvents(), [text("genuine")], in: ids.raya, at: stage.raya)
        },
        Scenario(name: "restart in the middle") { (stage) throws(Failure) in
            let ids = try stage.meet()
            for content in contents(3) { try stage.saro.send(content, in: ids.saro) }
            try stage.saro.restart()
            var parcels = try stage.saro.takeOutbound()
            try stage.hand([parcels.removeLast()], to: stage.raya, expecting: .accepted)
            try stage.raya.restart()
            try stage.hand(parcels, to: stage.raya, expecting: .accepted)
            try stage.check(try stage.raya.takeEvents(), contents(3), in: ids.raya, at: stage.raya, inOrder: false)
            try stage.pass([text("answer")], from: stage.raya, ids)
        },
        Scenario(name: "single-use key used again") { (stage) throws(Failure) in
            _ = try stage.saro.initiate(try stage.raya.createIntro(), text("hello"))
            let invite = try stage.saro.takeOutbound()
            try stage.hand(invite, to: stage.raya, expecting: .accepted)
            try stage.checkBegan([text("hello")], at: stage.raya)
            try stage.hand(invite, to: stage.raya, expecting: .rejected)
            try stage.checkQuiet(stage.raya)
            try stage.raya.restart()
            try stage.hand(invite, to: stage.raya, expecting: .rejected)
            try stage.checkQuiet(stage.raya)
        },
        Scenario(name: "payloads for somebody else") { (stage) throws(Failure) in
            let ids = try stage.meet()
            try stage.saro.send(text("for Raya"), in: ids.saro)
            let parcels = try stage.saro.takeOutbound()
            try stage.hand(parcels, to: stage.saro, expecting: .ignored)
            try stage.checkQuiet(stage.saro)
            try stage.hand(parcels, to: stage.raya, expecting: .accepted)
            try stage.check(try stage.raya.takeEvents(), [text("for Raya")], in: ids.raya, at: stage.raya)
        },
        Scenario(name: "unknown kind of invite") { (stage) throws(Failure) in
            _ = try stage.saro.initiate(try stage.raya.createIntro(), text("hello"))
            let invite = try stage.saro.takeOutbound()
            if let strange = invite.first.flatMap(StrangeInvite.init(like:)) {
                try stage.hand([strange.parcel], to: stage.raya, expecting: .rejected)
                try stage.checkQuiet(stage.raya)
            }
            try stage.hand(invite, to: stage.raya, expecting: .accepted)
            try stage.checkBegan([text("hello")], at: stage.raya)
        },
        Scenario(name: "large content") { (stage) throws(Failure) in
            let ids = try stage.meet()
            var random = RepeatableRandom(seed: 1)
            // Of several segments in either profile; the reference hashes it with what its language has for that.
            let size = stage.isReliable ? 1 << 18 : 1 << 20
            try stage.pass([random.bytes(size, for: .identifier)], from: stage.saro, ids)
        },
        Scenario(name: "many conversations") { (stage) throws(Failure) in
            var conversations: [(saro: String, raya: String)] = []
            for _ in 0..<20 { conversations.append(try stage.meet()) }
            for ids in conversations.reversed() {
                try stage.pass([text("to \(ids.saro)")], from: stage.raya, ids)
                try stage.pass([text("to \(ids.raya)")], from: stage.saro, ids)
            }
        },
    ]
}
