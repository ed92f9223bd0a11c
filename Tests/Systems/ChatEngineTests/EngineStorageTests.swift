import ChatCodec
import ChatEngine
import ChatModel
import Testing

/// A session with one answered question, and one whose answer is under way.
private struct Kept {
    var engine: Engine
    var random: any RandomSource = RepeatableRandom(seed: 7)
    let now = Timestamp(milliseconds: 1_000)
    let session: SessionID
    let asked: Engine.Ask

    init() throws {
        let type = try #require(SessionTypeID("gts.hyperspot.chat_engine.session_types.a.v1~"))
        engine = Engine(try SessionTypes([SessionType(id: type, name: "A", webhookURL: "http://a/")]))
        let ask = try engine.create(
            CreateSession(sessionType: type, client: "saro"), by: "saro", at: now, random: &random)
        session = engine.created(ask, SessionCreatedReply(capabilities: []), at: now).session
        let body = SendMessage(session: session, content: "hi")
        let first = try engine.send(body, by: "saro", at: now, random: &random)
        var reply = BackendReply(to: .messageNew, message: try #require(first.reply))
        _ = reply.receive(status: 200, contentType: "application/x-ndjson")
        _ = reply.receive(EngineJSON().line(BackendEvent.chunk(nil, .piece(.text, "hello"))).span)
        _ = engine.finish(first, reply, .complete(nil), at: now)
        asked = try engine.send(body, by: "saro", at: now, random: &random)
    }

    mutating func refusal(toRecreate id: MessageID, by client: String) -> ErrorCode? {
        do throws(ErrorBody) {
            _ = try engine.recreate(id, EnableCapabilities(), by: client, at: now, random: &random)
            return nil
        } catch { return error.code }
    }
}

struct EngineStorageTests {
    @Test func `a session that is taken up is the session that was stored`() throws {
        var kept = try Kept()
        _ = try kept.engine.share(
            kept.session, ShareSession(), by: "saro", at: kept.now, random: &kept.random)
        let stored = try #require(kept.engine.stored(kept.session))
        let first = try #require(stored.tree.order.first)
        _ = try kept.engine.react(to: first, ReactToMessage(reaction: .like), by: "saro", at: kept.now)
        let liked = try #require(kept.engine.stored(kept.session))
        #expect(liked.shares.count == 1 && liked.reactions.all.count == 1 && liked.tree.generating.count == 1)
        var other = Engine(kept.engine.types)
        other.adopt(liked)
        #expect(other.stored(kept.session) == liked)
        let token = try #require(liked.shares.keys.first)
        #expect(try other.shared(token, at: kept.now).messages.count == 3)
        #expect(other.stored(SessionID(random: &kept.random)) == nil)
    }

    @Test func `what moved since an earlier tree is what is active now, and what was`() throws {
        var kept = try Kept()
        let before = try #require(kept.engine.stored(kept.session)).tree
        let path = before.activePath
        #expect(before.moved(since: before) == ([], []))
        let all = before.moved(since: MessageTree(session: kept.session))
        #expect(Set(all.active) == Set(path.map(\.id)) && all.inactive.isEmpty)
        let body = SendMessage(session: kept.session, content: "branch", parent: path[1].id)
        _ = try kept.engine.send(body, by: "saro", at: kept.now, random: &kept.random)
        let after = try #require(kept.engine.stored(kept.session)).tree
        #expect(after.moved(since: before) == ([try #require(after.order.last)], [path[2].id]))
    }

    @Test func `an answer that was under way when the engine stopped can be ended after it`() throws {
        let kept = try Kept()
        let reply = try #require(kept.asked.reply)
        let stored = try #require(kept.engine.stored(kept.session))
        let generation = try #require(stored.tree.generating[reply])
        // As a storage has it: without what is under way.
        var tree = try #require(
            MessageTree(session: kept.session, nodes: stored.tree.order.compactMap { stored.tree[$0] }))
        let ended = tree
        func resume(_ tree: inout MessageTree, to parent: MessageID) -> Bool {
            tree.resume(reply, to: parent, generation.purpose)
        }
        let (first, again) = (resume(&tree, to: generation.parent), resume(&tree, to: generation.parent))
        #expect(first && !again, "the second time it is under way already")
        tree.finish(reply, content: [.text("half")], isComplete: false, at: DateTime(kept.now))
        #expect(tree[reply]?.isComplete == false && tree[reply]?.isActive == true)
        let afterwards = resume(&tree, to: generation.parent)
        #expect(!afterwards, "it is stored")
        var stranger = ended
        let orphan = resume(&stranger, to: reply)
        #expect(!orphan && stranger == ended, "there is nothing that it answers")
    }

    @Test func `an answer under way is not made again, and is nobody else's (CE-26, section 8-2)`() throws {
        var kept = try Kept()
        let reply = try #require(kept.asked.reply)
        for (client, code) in [("saro", ErrorCode.invalidRequest), ("raya", .messageNotFound)] {
            #expect(kept.refusal(toRecreate: reply, by: client) == code)
        }
        #expect(throws: ErrorBody.self) { try kept.engine.message(reply, by: "saro") }
        _ = kept.engine.finish(kept.asked, BackendReply(to: .messageNew, message: reply), .failed, at: kept.now)
        #expect(kept.refusal(toRecreate: reply, by: "saro") == .messageNotFound, "nothing of it was stored")
    }

    @Test func `a session whose type an operator took away is refused, and nothing changes`() throws {
        var kept = try Kept()
        let stored = try #require(kept.engine.stored(kept.session))
        let answer = try #require(stored.tree.order.dropFirst().first)
        var other = Engine(try SessionTypes([]))
        other.adopt(stored)
        let body = SendMessage(session: kept.session, content: "hi")
        var codes: [ErrorCode] = []
        do throws(ErrorBody) {
            _ = try other.send(body, by: "saro", at: kept.now, random: &kept.random)
        } catch { codes.append(error.code) }
        do throws(ErrorBody) {
            _ = try other.recreate(answer, EnableCapabilities(), by: "saro", at: kept.now, random: &kept.random)
        } catch { codes.append(error.code) }
        #expect(codes == [.backendError, .backendError])
        #expect(other.stored(kept.session) == stored)
    }
}
