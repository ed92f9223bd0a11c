import ChatClient
import ChatConversation
import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import Foundation
import TestSupport
import Testing

@Test(.timeLimit(.minutes(30)))
func `the ten lines of the README are a protocol (FW-01, INIT-01)`() async throws {
    var random: any RandomSource = SystemRandom()
    let sarosIdentity = X25519.generate(using: &random, for: .secret)
    let rayasIdentity = X25519.generate(using: &random, for: .secret)
    // begin
    let service = InMemoryDeliveryService()
    func client(_ identity: KeyPair) async throws -> Client {
        let suite = try ChatSuite(
            discovery: IntroLinks(), initialization: InboxV1(identity: identity),
            conversations: [PrivateV1.Libchat.type], delivery: service, framing: EnvelopeV1())
        return try await Client(suite)
    }
    let (saro, raya) = (try await client(sarosIdentity), try await client(rayasIdentity))
    let link = try await raya.introduce()[0]
    let (conversation, _) = try await saro.accept(link, saying: Content("hello"))
    // end
    #expect(await saro.conversations.map(\.id) == [conversation])
    var events = raya.events.makeAsyncIterator()
    #expect(await events.next()?.contents == ["hello"])
    #expect(saro.suite.name.description == "links/inbox-v1/private-v1-libchat/memory/envelope-v1")
    await saro.close()
    await raya.close()
}

@Test func `the README shows the lines that are tested`() throws {
    let readme = try String(contentsOf: Vectors.packageRoot.appendingPathComponent("README.md"), encoding: .utf8)
    let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
    let lines = source.split(separator: "\n").map(String.init)
    let begin = try #require(lines.firstIndex(of: "    // begin"))
    let end = try #require(lines.firstIndex(of: "    // end"))
    let shown = lines[(begin + 1)..<end].map { String($0.dropFirst(4)) }.joined(separator: "\n")
    #expect(readme.contains("```swift\n\(shown)\n```"))
}
