import ChatCodec
import ChatModel
import ChatReliability
import TestSupport
import Testing

struct SDSVectors {
    @Test func `messages are written and read as in the vectors (SDS-01)`() throws {
        try Vectors.run("logos/sds.json", only: { try $0.text("operation") == "roundtrip" }) { one in
            let layout: SDSMessage.Layout
            switch try one.text("message") {
            case "SdsMessage": layout = .document
            case "ReliablePayload": layout = .chatProto
            default: return
            }
            let bytes = Bytes(try one.bytes("bytes"))
            let fields = try one.at("fields")
            var message = SDSMessage(
                sender: try fields.identifier("sender_id"), id: try fields.identifier("message_id"),
                channel: try fields.identifier("channel_id"))
            if fields.has("lamport_timestamp") { message.lamport = try fields.number64("lamport_timestamp") }
            if fields.has("causal_history") {
                message.history = try fields.list("causal_history").map { try $0.entry() }
            }
            if fields.has("repair_request") {
                message.repairs = try fields.list("repair_request").map { try $0.entry() }
            }
            message.filter = try fields.optionalBytes("bloom_filter").map { Bytes($0) }
            message.content = try fields.optionalBytes("content").map { Bytes($0) }
            #expect(message.encoded(layout) == bytes, "\(one)")
            let read = try SDSMessage(decoding: bytes, layout)
            #expect(read.encoded(layout) == bytes, "\(one)")
            if case .document = layout { #expect(read == message, "\(one)") }
        }
    }

    @Test func `the ids of libchat's groups are those of the vectors`() throws {
        try Vectors.run("logos/sds.json", only: { try $0.text("operation") == "message_id" }) { one in
            let id = SDSMessage.libchatID(
                channel: try one.text("channel"), sender: try one.text("sender"),
                lamport: Int32(truncatingIfNeeded: try one.number("lamport")), content: Bytes(try one.bytes("content")))
            #expect(try id?.text == one.text("message_id"), "\(one)")
        }
    }

    @Test func `transcripts run as in the vectors (SDS-04 … SDS-09)`() throws {
        try Vectors.run("logos/sds.json", only: { try $0.text("operation") == "transcript" }) { one in
            var settings = SDSSettings()
            settings.historyLength = try one.number("causal_history_length")
            (settings.filter, settings.repair, settings.frontierLength) = (nil, nil, 0)
            var channels: [String: SDSChannel] = [:]
            var acknowledged: [String: Set<String>] = [:]
            let names = try one.texts("participants")
            for name in names {
                channels[name] = SDSChannel(
                    try #require(Identifier(name)), channel: try one.identifier("channel"), settings: settings,
                    now: .zero, lamport: try one.number64("initial_lamport"))
                channels[name]?.participants = names.count
            }
            var now: UInt64 = 0
            for step in try one.list("steps") {
                let name = try step.text("by")
                if step.has("now_ms") { now = try step.number64("now_ms") }
                var turn = SDSStep(now: Timestamp(milliseconds: now))
                if try step.text("op") == "send" {
                    let content = Bytes(try step.bytes("content"))
                    try channels[name]?.send(content, id: step.identifier("message_id"), in: &turn)
                    #expect(try turn.broadcasts.map(\.bytes.array.hex) == [step.text("message")], "\(step)")
                } else {
                    try channels[name]?.receive(Bytes(try step.bytes("message")), in: &turn)
                    #expect(try turn.delivered.map(\.id.text) == step.texts("delivers"), "\(step)")
                }
                acknowledged[name, default: []].formUnion(turn.acknowledged.map(\.text))
                try check(step.at("view"), try #require(channels[name]), acknowledged[name] ?? [])
            }
        }
    }

    private func check(_ view: Vector, _ channel: SDSChannel, _ acknowledged: Set<String>) throws {
        #expect(try channel.lamport == view.number64("lamport"), "\(view)")
        let log = try view.list("log").map { "\(try $0.number64("lamport"))/\(try $0.text("message_id"))" }
        #expect(channel.order.map { "\($0.lamport)/\($0.id)" } == log, "\(view)")
        #expect(try channel.waiting.map(\.text) == view.texts("buffered").sorted(), "\(view)")
        let outgoing = try view.at("outgoing")
        for id in outgoing.keys {
            let isOpen = try outgoing.text(id) != "acknowledged"
            #expect(channel.unacknowledged.map(\.text).contains(id) == isOpen, "\(view) \(id)")
            #expect(acknowledged.contains(id) == !isOpen, "\(view) \(id)")
        }
        #expect(channel.unacknowledged.count + acknowledged.count == outgoing.keys.count, "\(view)")
    }
}

extension Vector {
    fileprivate func identifier(_ key: String) throws -> Identifier { try #require(Identifier(try text(key))) }

    fileprivate func entry() throws -> SDSMessage.HistoryEntry {
        var entry = SDSMessage.HistoryEntry(try identifier("message_id"))
        entry.hint = try optionalBytes("retrieval_hint").map { Bytes($0) }
        if has("sender_id") { entry.sender = try identifier("sender_id") }
        return entry
    }
}

extension SDSStep {
    var delivered: [SDSEvent.Delivery] {
        events.compactMap { if case .delivered(let delivery) = $0 { delivery } else { nil } }
    }

    var acknowledged: [Identifier] {
        events.compactMap { if case .acknowledged(let id) = $0 { id } else { nil } }
    }
}
