import ChatClient
import ChatCrypto
import ChatModel
import ChatVariants
import Foundation
import TestSupport
import Testing

private func suite(_ name: String, seed: UInt64) async throws -> ChatSuite {
    var random: any RandomSource = RepeatableRandom(seed: seed)
    let identity = X25519.generate(using: &random, for: .secret)
    return try await Variants(identity: identity).registry.suite(SuiteName(parsing: name))
}

private func trial(_ name: String) async throws -> SuiteTrial {
    try SuiteTrial(try await suite(name, seed: 101), try await suite(name, seed: 102))
}

@Test(.timeLimit(.minutes(30)))
func `a trial of the reference profile shows nothing to who carries its payloads`() async throws {
    let trial = try await trial("links/inbox-v1/private-v1-compact/memory/envelope-v1")
    #expect(trial.seen == [.linkedByAddress, .linkedByBytes])
    #expect(trial.addresses.count == 2)
    #expect(trial.roundTrips == 0)
    #expect((264..<664).contains(trial.first))
    // Nothing is sent again: an answer costs no more than a content and its share of an acknowledgement.
    #expect((trial.inTurns...trial.inTurns + 64).contains(trial.oneWay))
}

@Test(.timeLimit(.minutes(30)))
func `a trial of profile libchat shows ids and keys, and one address, but no content`() async throws {
    let trial = try await trial("links/inbox-v1-libchat/private-v1-libchat/memory/envelope-v1-libchat")
    #expect(trial.seen == [.conversation, .inviter, .invited, .sharedAddress, .linkedByAddress, .linkedByBytes])
    #expect(trial.addresses == ["delivery_address"])
    // An envelope, a ratchet message and a frame around 64 bytes; nothing is acknowledged.
    // The number of a message takes no bytes where it is 0, as it is after every turn.
    #expect((0...2).contains(trial.oneWay - trial.inTurns))
}

@Test(.timeLimit(.minutes(30)), arguments: ["ratchet", "private-v1-compact", "plain-reliable"])
func `a trial under identifiers shows no id, and costs sixteen bytes a payload`(type: String) async throws {
    let hidden = try await trial("links/inbox-v1/\(type)/memory/rpi-v1")
    #expect(!hidden.seen.contains(.conversation))
    let salted = try await trial("links/inbox-v1/\(type)/memory/envelope-v1")
    #expect(hidden.oneWay + 60 <= salted.oneWay)
}

@Test(.timeLimit(.minutes(30))) func `a trial of an open composition shows the content`() async throws {
    let trial = try await trial("links/open-invite/plain/memory/plain")
    #expect(trial.seen == [.content, .conversation, .linkedByAddress, .linkedByBytes])
    // Version, length, 32 digits of a route and a length around version, kind and number.
    #expect(trial.oneWay == 64 + 2 + 32 + 4 + 10)
}

@Test(.timeLimit(.minutes(30))) func `a trial says the same each time`() async throws {
    let name = "links/inbox-v1/ratchet/memory/envelope-v1"
    let (first, second) = (try await trial(name), try await trial(name))
    #expect(first.oneWay == second.oneWay)
    #expect(first.seen == second.seen)
}

@Test(.timeLimit(.minutes(30)))
func `every property that a component claims stands in the document that is named for it`() async throws {
    var random: any RandomSource = RepeatableRandom(seed: 1)
    let registry = Variants(identity: X25519.generate(using: &random, for: .secret)).registry
    var claims = 0
    for conversation in registry.names(of: .conversation) {
        for initialization in registry.names(of: .initialization) {
            let name = "links/\(initialization)/\(conversation)/memory/envelope-v1"
            for (component, facts) in try await suite(name, seed: 1).choices {
                for claim in facts.claims {
                    let document = try #require(
                        Variants.document(with: claim.requirement, of: component, named: facts.name), "\(facts.name)")
                    let path = Vectors.packageRoot.appendingPathComponent("Specs/\(document)")
                    let text = try String(contentsOf: path, encoding: .utf8)
                    #expect(text.contains(claim.requirement), "\(facts.name): \(claim.requirement) in \(document)")
                    claims += 1
                }
            }
        }
    }
    #expect(claims > 200)
}
