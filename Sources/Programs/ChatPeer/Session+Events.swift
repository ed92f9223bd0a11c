import ChatClient
import ChatCodec
import ChatModel
import ChatReliability
import ChatTool

// What the client tells, and what can be asked about it.
extension Session {
    /// Shows a batch; returning true says that the application has it.
    func show(_ batch: EventBatch) async -> Bool {
        var lines: [Output.Line] = []
        // What could not be kept before the end is shown at the next start.
        guard let paths = await keepFiles(batch) else { return false }
        for (index, event) in batch.events.enumerated() {
            let line = line(event, at: paths[index])
            var json = line.json
            // A batch that was shown before a crash is shown again under its number.
            if batch.number > 0, case .object(var object) = json {
                (object["batch"], object["index"]) = (JSON(batch.number), JSON(index))
                json = .object(object)
            }
            lines.append(Output.Line(kind: line.kind, text: line.text, json: json))
        }
        guard await output.show(lines) else { return false }
        note(batch, lines)
        return true
    }

    private func line(_ event: ClientEvent, at path: String?) -> Output.Line {
        switch event {
        case .began(let id, let type, let role, let peers): return started(id, type, role, peers)
        case .pending(let id, let type):
            return .remark(
                "-- conversation \(name(id)) waits for an answer (\(type)); what you say is kept until then",
                .event("pending", ["conversation": .string(id.text), "type": .string(type.name)]))
        case .failed(let id, let report):
            return .trouble(
                "! the conversation with \(name(id)) has ended: \(report.text.forTerminal)",
                .event(
                    "ended",
                    [
                        "conversation": .string(id.text), "code": .string(report.code), "text": .string(report.text),
                    ]))
        case .conversation(let id, let event): return line(event, at: path, in: id)
        case .broken(let id, let report):
            return .trouble(
                "! \(name(id)): \(report.text.forTerminal); ask for a new link, or give out one of yours (/intro)",
                .event(
                    "broken",
                    [
                        "conversation": .string(id.text), "code": .string(report.code), "text": .string(report.text),
                    ]))
        case .refused(let id, let report):
            return line(report.outcome == .unsupported ? "unsupported" : "refused", report, id)
        case .link(let notice): return line(notice)
        case .storageTrouble(let text): return .error("storage", text)
        }
    }

    private func line(_ event: Event, at path: String?, in id: ConversationID) -> Output.Line {
        switch event {
        case .content(let received): return line(received, at: path, in: id)
        case .status(let number, let status): return line(status, of: number, in: id)
        case .members(let members):
            if members.count > 2 { groups.insert(id) }
            return .remark(
                "-- \(name(id)) has \(members.count) members",
                .event("members", ["conversation": .string(id.text), "members": .keys(members)]))
        case .gap(let gap):
            return .trouble(
                "! \(name(id)): something is missing\(gap.isFinal ? " for good" : " so far")",
                .event(
                    "gap",
                    [
                        "conversation": .string(id.text), "reference": .string(gap.reference),
                        "final": .bool(gap.isFinal),
                    ]))
        case .frame(let kind, let bytes, _):
            return .remark(
                "-- \(name(id)): \(kind.forTerminal), \(bytes.count) bytes",
                .event("frame", ["conversation": .string(id.text), "kind": .string(kind), "bytes": .hex(bytes)]))
        case .progress(let target, let done, let of): return line(target, done, of: of, in: id)
        case .cancelled(let target):
            return .remark(
                "-- \(name(id)) does not want \(Self.words(target)) any more",
                .event("cancelled", ["conversation": .string(id.text), "target": .string(Self.words(target))]))
        case .ended(let reason):
            return .remark(
                "-- the conversation with \(name(id)) is over: \(reason.forTerminal)",
                .event("over", ["conversation": .string(id.text), "reason": .string(reason)]))
        case .refused(let refusal): return line("refused", ClientEvent.Report(refusal), id)
        }
    }

    private static func words(_ target: Target) -> String {
        switch target {
        case .own(let id): "#\(id)"
        case .received(let reference): reference.forTerminal
        }
    }

    private func started(_ id: ConversationID, _ type: ConversationType, _ role: Role, _ peers: [PublicKey])
        -> Output.Line
    {
        if labels[id] == nil { labels[id] = Self.label(id, peers) }
        if !known.contains(id) { known.append(id) }
        chooseFirst(id)
        let hint = current == id ? "type to talk" : "/to \(name(id)) to talk"
        return .remark(
            "-- conversation with \(name(id)) began (\(type)); \(hint)",
            .event(
                "conversation",
                [
                    "conversation": .string(id.text), "type": .string(type.name), "role": .string(role.rawValue),
                    "peers": .keys(peers),
                ]))
    }

    private func line(_ received: ReceivedContent, at path: String?, in id: ConversationID) -> Output.Line {
        let (content, text): (JSON, String)
        switch ShownContent(received.content) {
        case .file(let file): return line(file, received, at: path, in: id)
        case .text(let whole): (content, text) = (.event("content", ["text": .string(whole)]), whole.forTerminal)
        case .bytes:
            content = .event("content", ["bytes": .hex(received.content)])
            text = "\(received.content.count) bytes that are no text"
        }
        var json = content
        if case .object(var object) = content {
            object["conversation"] = .string(id.text)
            if let sender = received.sender { object["sender"] = .string(sender.description) }
            if received.part != .whole { object["part"] = .string(received.part.word) }
            if let reference = received.reference { object["reference"] = .string(reference) }
            json = .object(object)
        }
        return .speech("\(speaker(received, in: id)): \(text)", json)
    }

    /// Who said something, and where if it is not the current conversation.
    func speaker(_ received: ReceivedContent, in id: ConversationID) -> String {
        if current != id { unread[id, default: 0] += 1 }
        // Of two people the other one is who the conversation is called after.
        guard let sender = received.sender, groups.contains(id) else { return name(id) }
        return String(sender.description.prefix(8)) + (current == id ? "" : " (\(name(id)))")
    }

    private func line(_ status: ContentStatus, of number: ContentID, in id: ConversationID) -> Output.Line {
        var word = "accepted"
        var reason: String?
        switch status {
        case .accepted: break
        case .sent: word = "sent"
        case .delivered: word = "delivered"
        case .cancelled: word = "cancelled"
        case .failed(let why): (word, reason) = ("failed", why)
        }
        if status != .accepted, unsent.remove(number) == nil, number > lastAnswered { settledEarly.insert(number) }
        var json = JSON.event(
            "status",
            ["conversation": .string(id.text), "content": JSON(number.number), "status": .string(word)])
        if let reason, case .object(var object) = json {
            object["reason"] = .string(reason)
            json = .object(object)
        }
        if case .delivered(let peer?) = status, case .object(var object) = json {
            object["by"] = .string(peer.description)
            json = .object(object)
        }
        let why = reason.map { ": \($0.forTerminal)" } ?? ""
        let label = label(number)
        if word == "delivered" || word == "cancelled" || reason != nil { fileNames[number] = nil }
        return Output.Line(
            kind: reason == nil ? .remark : .trouble, text: "   #\(number)\(label) \(word)\(why)", json: json)
    }

    private func line(_ name: String, _ report: ClientEvent.Report, _ id: ConversationID?) -> Output.Line {
        Output.Line.trouble(
            "! something that arrived was refused: \(report.description.forTerminal)",
            .event(
                name,
                [
                    "conversation": id.map { .string($0.text) } ?? .null, "outcome": .string(report.outcome.rawValue),
                    "code": .string(report.code), "text": .string(report.text),
                ]))
    }

    private func line(_ notice: Notice) -> Output.Line {
        switch notice {
        case .interrupted(let why, _):
            Output.Line.trouble(
                "! no link to \(settings.relay): \((networkTrouble ?? why).forTerminal); still trying",
                .event("link", ["state": "interrupted", "text": .string(why)]))
        case .resumed: Output.Line.remark("-- the link is there", .event("link", ["state": "resumed"]))
        case .ended(let address, _):
            Output.Line.remark(
                "-- \(address) ended", .event("link", ["state": "ended", "text": .string(address.text)]))
        case .gone(let address):
            Output.Line.trouble(
                "! payloads on \(address) may have been lost",
                .event("link", ["state": "gone", "text": .string(address.text)]))
        }
    }

    /// Says what may be wrong where somebody does not answer a first contact for ten seconds.
    func hintIfUnanswered(_ id: ConversationID) async {
        guard (try? await Task.sleep(for: .seconds(10))) != nil, !isEnding,
            let summary = await client.conversations.first(where: { $0.id == id }), !summary.isAnswered
        else { return }
        await output.show(
            .remark(
                "-- no answer from \(name(id)) yet: they may be away, or their chat-peer is composed otherwise; "
                    + "its first line has to say \(client.suite.name)",
                .event("unanswered", ["conversation": .string(id.text)])))
    }

    /// What a conversation is called on this screen.
    func name(_ id: ConversationID) -> String { labels[id]?.forTerminal ?? Self.label(id, []) }

    /// Shows links or names by which others find this peer.
    func showIntroduction(_ texts: [String], tag: JSON?) async {
        handedOut.formUnion(texts)
        newestLink = texts.last(where: \.isLink) ?? newestLink
        let suite = client.suite.name
        await output.show(
            .speech(
                "your introduction, for one other to paste:\n"
                    + texts.map { "  \(PastedLink.shown($0, of: suite).forTerminal)" }.joined(separator: "\n"),
                .event(
                    "introduction",
                    ["links": .array(texts.map { .string($0) }), "suite": .string(suite.description)], tag: tag)))
    }

    /// Shows the newest link as a QR code.
    func showCode(tag: JSON?) async {
        guard let link = newestLink, let code = QRCode(Array(link.utf8)) else {
            return await output.show(.error("no_link", "there is no link to show; /intro makes one", tag: tag))
        }
        await output.show(
            .speech(code.lines.joined(separator: "\n"), .event("code", ["link": .string(link)], tag: tag)))
    }

    /// Lists the conversations; nothing for a person where there are none.
    func showConversations(tag: JSON?) async {
        let all = await client.conversations
        let lines = all.map { summary in
            let number = known.firstIndex(of: summary.id).map { "\($0 + 1)  " } ?? ""
            let new = unread[summary.id].map { " (\($0) new)" } ?? ""
            let here = summary.id == current ? " (you talk here)" : ""
            return "-- \(number)\(name(summary.id)): \(summary.type), \(summary.id)\(new)\(here)"
        }
        let list = all.map { summary -> JSON in
            [
                "conversation": .string(summary.id.text), "type": .string(summary.type.name),
                "role": .string(summary.role.rawValue), "peers": .keys(summary.peers),
                "answered": .bool(summary.isAnswered), "current": .bool(summary.id == current),
                "name": .string(labels[summary.id] ?? ""), "unread": JSON(unread[summary.id] ?? 0),
            ]
        }
        let text = lines.isEmpty ? "-- no conversation yet" : lines.joined(separator: "\n")
        await output.show(.remark(text, .event("conversations", ["conversations": .array(list)], tag: tag)))
    }

    /// Shows composition, relay, storage and what waits.
    func showStatus(tag: JSON?) async {
        let (waiting, count) = (await client.waiting, await client.conversations.count)
        let kept = settings.data.map { "kept in \($0)" } ?? "nothing is kept"
        await output.show(
            .remark(
                """
                -- \(client.suite.name)
                -- relay \(settings.relay); \(kept); key \(identity)
                -- conversations: \(count); waiting to be sent: \(waiting.payloads) payloads, \(waiting.bytes) bytes
                """,
                .event(
                    "state",
                    [
                        "suite": .string(client.suite.name.description), "identity": .string(identity.description),
                        "relay": .string(settings.relay), "data": settings.data.map { .string($0) } ?? .null,
                        "conversations": JSON(count), "waitingPayloads": JSON(waiting.payloads),
                        "waitingBytes": JSON(waiting.bytes),
                    ], tag: tag)))
    }
}

extension JSON {
    fileprivate static func keys(_ keys: [PublicKey]) -> JSON { .array(keys.map { .string($0.description) }) }
    fileprivate static func hex(_ bytes: Bytes) -> JSON { .string(Hex.encode(bytes.array)) }
}
