import ChatClient
import ChatCodec
import ChatModel
import ChatPlatform
import ChatTool

// What is asked for, and its one answer.
extension Session {
    /// Carries out a request and shows its answer.
    func answer(_ asked: TaggedRequest) async {
        do throws(ClientError) {
            try await carryOut(asked.request, tag: asked.tag)
        } catch {
            if case .connect = asked.request { chooseNobody() }
            await output.show(.error(error.code, error.description, tag: asked.tag))
        }
    }

    private func carryOut(_ request: Request, tag: JSON?) async throws(ClientError) {
        switch request {
        case .introduce(let name):
            await showIntroduction(
                try await client.introduce(as: name.isEmpty ? settings.publish ?? "" : name), tag: tag)
        case .connect(let text, let content, let type):
            try await connect(Contact(PastedLink(text), type: type), content, tag: tag)
        case .choose(let text):
            guard let id = await conversation(text) else {
                chooseNobody()
                return await showUnknown(text, tag: tag)
            }
            try choose(id)
            await output.show(
                Output.Line.remark(
                    "-- you talk to \(name(id))", .event("chosen", ["conversation": .string(id.text)], tag: tag)))
        case .name(let name, let of): try await rename(of, to: name, tag: tag)
        case .send(let content, let to): try await send(content, to: to, tag: tag)
        case .sendFile(let path, let to): try await sendFile(path, to: to, tag: tag)
        case .history(let count, let of):
            var id = current
            if let of { id = await conversation(of) }
            guard let id else { return await showUnknown(of ?? "", tag: tag) }
            await showHistory(of: id, count, tag: tag)
        case .conversations: await showConversations(tag: tag)
        case .find(let text): try await find(text, tag: tag)
        case .status: await showStatus(tag: tag)
        case .code: await showCode(tag: tag)
        case .help(let command):
            let text = Request.explanation(of: command)
            await output.show(.remark(text, .event("help", ["text": .string(text)], tag: tag)))
        case .quit: return
        }
    }

    private func connect(
        _ contact: Contact, _ content: Content?, as outgoing: Outgoing = .text, tag: JSON?
    ) async throws(ClientError) {
        // Wrong links are refused now and not when something has been typed.
        try await check(contact)
        guard let content else {
            pending = contact
            await output.show(
                Output.Line.remark(
                    "-- say something: it travels in the invite",
                    .event("pending", ["link": .string(contact.text)], tag: tag)))
            return
        }
        let type = contact.type.map { ConversationType($0) }
        let (id, contentID) = try await client.accept(contact.text, as: type, saying: content)
        try choose(id)
        let peers = await client.conversations.first { $0.id == id }?.peers ?? []
        // Somebody who was found by a name keeps it, unless somebody else has it.
        let isNamed = contact.text.isLink ? false : try call(id, contact.text)
        if !isNamed { labels[id] = Self.label(id, peers) }
        await showAccepted(content, outgoing, contentID, in: id, tag: tag)
        Task { await hintIfUnanswered(id) }
    }

    /// Refuses a link that cannot lead to anybody: one of this peer's own (PEER-23), or of another composition (PEER-24).
    private func check(_ contact: Contact) async throws(ClientError) {
        let own = client.suite.name
        if let suite = contact.link.suite, !contact.link.isReached(from: own) {
            throw .refused(Refusal(.unable, LinkCause.otherSuite(suite, own: own)))
        }
        var answers = try await client.find(contact.text).makeAsyncIterator()
        // A name may be looked for for long.
        guard contact.text.isLink else { return }
        let found: [Introduction]
        do throws(DiscoveryError) { found = try await answers.next() ?? [] } catch { throw .discovery(error) }
        let isOwn = found.contains { $0.bundles.contains { $0.isMade(by: identity) } }
        guard !isOwn, !handedOut.contains(contact.text) else { throw .refused(Refusal(.unable, LinkCause.ownBundle)) }
    }

    func send(
        _ content: Content, to text: String?, as outgoing: Outgoing = .text, tag: JSON?
    ) async throws(ClientError) {
        if text == nil, let pending {
            do throws(ClientError) { return try await connect(pending, content, as: outgoing, tag: tag) } catch {
                // A link that is refused stays so: it would take every later line with it (PEER-14).
                if case .refused = error { chooseNobody() }
                throw error
            }
        }
        var id = current
        if let text {
            id = await conversation(text)
            if id == nil { return await showUnknown(text, tag: tag) }
        }
        guard let id else {
            return await output.show(
                .error(
                    "nobody",
                    choice == .open
                        ? "nobody to talk to yet: paste a link, or hand out yours (/intro)"
                        : "not sent: nobody is chosen; /to ID says with whom you talk, /conversations lists them",
                    tag: tag))
        }
        await showAccepted(content, outgoing, try await client.send(content, in: id), in: id, tag: tag)
    }

    private func showAccepted(
        _ content: Content, _ outgoing: Outgoing, _ number: ContentID, in id: ConversationID, tag: JSON?
    ) async {
        if !settledEarly.contains(number) { unsent.insert(number) }
        settledEarly = settledEarly.filter { $0 > number }
        lastAnswered = number
        var json = JSON.event("accepted", ["conversation": .string(id.text), "content": JSON(number.number)], tag: tag)
        let text: String
        switch outgoing {
        case .text: text = String(decoding: content.array, as: UTF8.self).forTerminal
        case .file(let name, let shown, let size):
            text = "[\(shown)]"
            fileNames[number] = name
            if case .object(var object) = json {
                (object["file"], object["size"]) = (.string(name), JSON(size))
                json = .object(object)
            }
        }
        history.add("\(settings.name): \(text)", key: "#\(number)", to: id, at: LocalTime.now)
        // Whoever types sees the line already.
        let isTyped = StandardInput.isTerminal
        await output.show(
            Output.Line(
                kind: isTyped ? .remark : .speech,
                text: isTyped ? "   #\(number)\(label(number)) to \(name(id))" : "\(settings.name) #\(number): \(text)",
                json: json))
    }

    private func find(_ text: String, tag: JSON?) async throws(ClientError) {
        var answers = try await client.find(text).makeAsyncIterator()
        var found: [Introduction] = []
        do throws(DiscoveryError) {
            // Later answers are better ones; the first is what a person waits for.
            found = try await answers.next() ?? []
        } catch { throw .discovery(error) }
        let people = found.map { introduction -> JSON in
            [
                "name": .string(introduction.name), "bundles": JSON(introduction.bundles.count),
                "publisher": introduction.publisher.map { .string($0.description) } ?? .null,
            ]
        }
        let lines = found.map { introduction in
            let key = introduction.publisher.map { ", key \($0)" } ?? ""
            return "-- \(introduction.name.isEmpty ? "somebody" : introduction.name.forTerminal)\(key)"
        }
        let shown =
            lines.isEmpty
            ? "-- nobody" : lines.joined(separator: "\n") + "\n-- /connect \(text.forTerminal) begins a conversation"
        await output.show(.remark(shown, .event("found", ["introductions": .array(people)], tag: tag)))
    }

    /// Gives a conversation a name.
    private func rename(_ text: String?, to name: String, tag: JSON?) async throws(ClientError) {
        var id = current
        if let text { id = await conversation(text) }
        guard let id else { return await showUnknown(text ?? "", tag: tag) }
        guard try call(id, name) else {
            return await output.show(
                .error(
                    "name_not_free",
                    "not done: a name has at most 64 bytes that can be seen, is no number and no other conversation's",
                    tag: tag))
        }
        await output.show(
            .remark(
                "-- you talk to \(self.name(id))",
                .event("named", ["conversation": .string(id.text), "name": .string(name)], tag: tag)))
    }

    private func showUnknown(_ text: String, tag: JSON?) async {
        await output.show(
            .error(
                "unknown_conversation", "no conversation, or several, begin with \(text); /conversations lists them",
                tag: tag))
    }
}

extension ClientError {
    /// A stable word for programs.
    fileprivate var code: String {
        switch self {
        case .refused(let refusal): refusal.cause.code
        case .storage: "storage"
        case .discovery: "discovery"
        case .delivery: "delivery"
        case .closed: "closed"
        }
    }
}
