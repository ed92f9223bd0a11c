import ChatCodec
import ChatModel
import ChatReliability

/// The participants of a channel in a transcript, step by step.
struct SDSGroup {
    private var peers: [String: SDSChannel] = [:]

    init(_ one: Case) throws {
        let names = try one.texts("participants")
        var settings = SDSSettings()
        settings.filter = one.has("filter") ? try Kind.filterParameters(one.at("filter")) : nil
        for name in names {
            var channel = SDSChannel(
                try Kind.identifier(name), channel: try Kind.identifier(one.text("channel")), settings: settings,
                now: Timestamp(milliseconds: try one.uint64("start_ms")))
            channel.participants = names.count
            _ = channel.takeChanges()
            peers[name] = channel
        }
    }

    /// Does a step; one that is refused leaves no trace.
    mutating func perform(_ step: Case) async throws -> JSON {
        let name = try step.text("by")
        guard let before = peers[name] else { throw Problem.unreadable("there is no participant \(name)") }
        var peer = before
        var turn = SDSStep(now: Timestamp(milliseconds: try step.uint64("now_ms")))
        let operation = try step.text("op")
        let output = try await Kind.outcome(unchanged: { peer.takeChanges().isEmpty && view(peer) == view(before) }) {
            switch operation {
            case "send":
                let id = try Kind.identifier(step.text("message_id"))
                try peer.send(Bytes(try step.bytes("content")), id: id, in: &turn)
            case "receive": try peer.receive(Bytes(try step.bytes("message")), in: &turn)
            case "wake": peer.wake(in: &turn)
            case let other: throw Problem.notApplicable("step \(other)")
            }
            return ["broadcasts": .array(turn.broadcasts.map(json)), "events": events(turn.events)]
        }
        _ = peer.takeChanges()
        peers[name] = peer
        return output.adding(["view": view(peer)])
    }

    private func json(_ broadcast: SDSStep.Broadcast) -> JSON {
        let reason =
            switch broadcast.reason {
            case .new: "new"
            case .again: "again"
            case .sync: "sync"
            }
        return [
            "reason": .string(reason), "message_id": .string(broadcast.id.text), "message": .hex(broadcast.bytes),
        ]
    }

    /// What happened, by kind; only of deliveries the order counts.
    private func events(_ events: [SDSEvent]) -> JSON {
        var (delivered, found): ([JSON], [String: [String]]) = ([], [:])
        for event in events {
            switch event {
            case .delivered(let one):
                let id: JSON = ["message_id": .string(one.id.text)]
                switch one.place {
                case .end: delivered.append(id)
                case .after(let other): delivered.append(id.adding(["behind": .string(other?.text ?? "")]))
                }
            case .ephemeral(let content, _): found["ephemeral", default: []].append(hex(content.array))
            case .acknowledged(let id): found["acknowledged", default: []].append(id.text)
            case .possiblyAcknowledged(let id): found["possibly_acknowledged", default: []].append(id.text)
            case .gaveUp(let id): found["gave_up", default: []].append(id.text)
            case .missing(let entry): found["missing", default: []].append(entry.id.text)
            case .lost(let id, _): found["lost", default: []].append(id.text)
            }
        }
        var object: JSON = delivered.isEmpty ? [:] : ["delivered": .array(delivered)]
        for (kind, ids) in found.sorted(by: { $0.key < $1.key }) {
            object = object.adding(.object([kind].reduce(into: JSON.Object()) { $0[$1] = .texts(ids.sorted()) }))
        }
        return object
    }

    private func view(_ channel: SDSChannel) -> JSON {
        [
            "lamport": JSON(channel.lamport),
            "log": .array(channel.order.map { ["lamport": JSON($0.lamport), "message_id": .string($0.id.text)] }),
            "waiting": .texts(channel.waiting.map(\.text).sorted()),
            "missing": .texts(channel.missing.map(\.text).sorted()),
            "unacknowledged": .texts(channel.unacknowledged.map(\.text)),
        ]
    }
}
