import ChatCodec
import ChatEngine
import ChatModel
import TestSupport
import Testing

/// A tree that grows at random, beside what must hold of it.
private struct Grove {
    var tree: MessageTree
    var random: any RandomSource
    var running: [MessageID] = []

    init(seed: UInt64) {
        random = RepeatableRandom(seed: seed)
        tree = MessageTree(session: SessionID(random: &random))
    }

    private mutating func draw(_ bound: Int) -> Int {
        let bytes = random.bytes(4, for: .identifier)
        return bytes.reduce(0) { $0 << 8 | Int($1) } % max(1, bound)
    }

    private mutating func anyMessage() -> MessageID {
        draw(8) == 0 || tree.order.isEmpty ? MessageID(random: &random) : tree.order[draw(tree.order.count)]
    }

    /// Does something; says whether it was refused.
    mutating func grow(_ step: Int) -> Bool {
        let time = DateTime(Timestamp(milliseconds: UInt64(step)))
        let (user, reply) = (MessageID(random: &random), MessageID(random: &random))
        do {
            switch draw(5) {
            case 0, 1:
                let parent = draw(2) == 0 ? nil : anyMessage()
                _ = try tree.send(
                    MessageDraft(content: [.text("\(step)")]), as: user, reply: reply, under: parent,
                    isGuest: draw(6) == 0, at: time)
                running.append(reply)
            case 2:
                _ = try tree.recreate(anyMessage(), reply: reply)
                running.append(reply)
            default:
                guard !running.isEmpty else { return false }
                var metadata = Metadata()
                if draw(8) == 0 { metadata.set("is_hidden_from_user", true) }
                if draw(8) == 0 { metadata.set("is_hidden_from_llm", true) }
                let end = draw(3)
                tree.finish(
                    running.remove(at: draw(running.count)), content: end == 0 ? [] : [.text("a\(step)")],
                    metadata: metadata, isComplete: end == 2, at: time)
            }
            return false
        } catch { return true }
    }
}

struct TreeTests {
    @Test(arguments: 0..<40) func `a tree keeps its rules however it grows (CE-28, CE-29, CE-31)`(seed: Int) throws {
        var grove = Grove(seed: UInt64(seed))
        var guests = 0
        for step in 0..<120 {
            let before = grove.tree
            let isRefused = grove.grow(step)
            let tree = grove.tree
            if isRefused {
                #expect(tree == before, "what is refused changes nothing")
                continue
            }
            // Nothing that was there has changed, but for which one is active.
            #expect(Array(tree.order.prefix(before.order.count)) == before.order)
            for id in before.order {
                let (old, new) = (try #require(before[id]), try #require(tree[id]))
                #expect(old.parent == new.parent && old.content == new.content && old.index == new.index)
            }
            for parent in [nil] + tree.order.map(Optional.some) {
                let group = tree.siblings(under: parent)
                #expect(
                    Set(group.map(\.index)).count == group.count && group.map(\.index) == group.map(\.index).sorted())
                let active = group.filter(\.isActive).count
                #expect(active <= 1)
                if active == 0, !group.isEmpty { guests += 1 }
            }
            let path = tree.activePath
            #expect(path.map(\.id) == tree.path(to: path.last?.id).map(\.id))
            for message in tree.history(to: tree.order.last) { #expect(!message.content.isEmpty) }
            for message in tree.visible {
                let variants = try tree.variants(of: message.id)
                #expect(variants.variants.indices.contains(variants.current))
                #expect(variants.variants.contains { $0.id == message.id })
            }
        }
        let nodes = grove.tree.order.compactMap { grove.tree[$0] }
        #expect(MessageTree(session: grove.tree.session, nodes: nodes)?.activePath == grove.tree.activePath)
        #expect(MessageTree(session: grove.tree.session, nodes: nodes + nodes.suffix(1)) == nil || nodes.isEmpty)
    }

    @Test(.timeLimit(.minutes(30)))
    func `each of ten thousand variants costs as much as the first, and so does each message of a list`() throws {
        var random: any RandomSource = RepeatableRandom(seed: 3)
        var tree = MessageTree(session: SessionID(random: &random))
        let time = DateTime(Timestamp(milliseconds: 1))
        let first = MessageID(random: &random)
        let draft = MessageDraft(content: [.text("hi")])
        _ = try tree.send(draft, as: MessageID(random: &random), reply: first, at: time)
        tree.finish(first, content: [.text("0")], isComplete: true, at: time)
        for number in 1..<10_000 {
            let reply = MessageID(random: &random)
            _ = try tree.recreate(first, reply: reply)
            tree.finish(reply, content: [.text("\(number)")], isComplete: true, at: time)
        }
        let visible = tree.visible
        #expect(visible.count == 10_001 && visible.last?.variant == VariantInfo(index: 9_999, total: 10_000))
        #expect(tree.activePath.last?.id == visible.last?.id)
        let again = MessageTree(session: tree.session, nodes: tree.order.compactMap { tree[$0] })
        #expect(again == tree)
    }

    @Test func `stored messages of which two of a group are active are no tree (CE-29)`() throws {
        var random: any RandomSource = RepeatableRandom(seed: 4)
        func root(_ index: Int, isActive: Bool) -> MessageTree.Node {
            MessageTree.Node(
                id: MessageID(random: &random), parent: nil, role: .user, content: [.text("hi")], index: index,
                createdAt: DateTime(Timestamp(milliseconds: 1)), isActive: isActive)
        }
        let session = SessionID(random: &random)
        #expect(MessageTree(session: session, nodes: [root(0, isActive: false), root(1, isActive: true)]) != nil)
        #expect(MessageTree(session: session, nodes: [root(0, isActive: true), root(1, isActive: true)]) == nil)
        #expect(MessageTree(session: session, nodes: [root(1, isActive: true), root(1, isActive: false)]) == nil)
    }

    @Test func `a guest's message takes the next index and leaves the owner's path alone (CE-35, CE-G24)`() throws {
        var random: any RandomSource = RepeatableRandom(seed: 1)
        var tree = MessageTree(session: SessionID(random: &random))
        let ids = (0..<8).map { _ in MessageID(random: &random) }
        let time = DateTime(.zero)
        func says(_ text: String) -> MessageDraft { MessageDraft(content: [.text(text)]) }
        _ = try tree.send(says("u1"), as: ids[0], reply: ids[1], at: time)
        tree.finish(ids[1], content: [.text("a1")], isComplete: true, at: time)
        let path = tree.activePath
        let generation = try tree.send(says("pax"), as: ids[2], reply: ids[3], under: ids[1], isGuest: true, at: time)
        #expect(generation.history.map(\.id) == [ids[0], ids[1]])
        tree.finish(ids[3], content: [.text("for pax")], isComplete: true, at: time)
        #expect(tree.activePath == path)
        #expect(tree[ids[2]]?.isActive == false && tree[ids[2]]?.index == 0)
        _ = try tree.send(says("u2"), as: ids[4], reply: ids[5], at: time)
        #expect(tree[ids[4]]?.index == 1 && tree.activePath.map(\.id) == [ids[0], ids[1], ids[4]])
        let error = #expect(throws: ErrorBody.self) {
            try tree.send(says("pax"), as: ids[6], reply: ids[7], under: ids[4], isGuest: true, at: time)
        }
        #expect(error?.code == .invalidRequest)
    }
}
