import ChatCodec
import ChatConversation
import ChatCrypto
import ChatInitialization
import ChatModel

// Kind `ids`: what is derived from keys to name conversations, inboxes and keys, in both profiles.
extension Kind {
    static let ids = Kind(
        name: "ids", run: operations(["conversation": conversationIDs, "inbox": inboxIDs, "key": keyName]),
        files: idFiles)

    /// Ids of both roles, and the delivery address of a plain conversation with the same secret.
    private static func conversationIDs(_ one: Case) async throws -> JSON {
        switch try profile(one) {
        case .libchat: return roleIDs(try one.secret("seed_key"), size: 18).adding(["address": "delivery_address"])
        case .reference:
            var step = Step(now: .zero, random: ScriptedDraws())
            let seed = ConversationSeed(type: "plain", side: .inviting(), secret: try one.secret("seed_key"))
            let plain = try PlainConversation(seed, in: &step)
            return roleIDs(try one.secret("seed_key"), size: 16).adding([
                "plain_address": .string(plain.listening[0].address.text)
            ])
        }
    }

    private static func inboxIDs(_ one: Case) async throws -> JSON {
        let listening = try InboxV1(identity: one.keyPair("identity_private"), profile: profile(one)).listening[0]
        return [
            "installation_key": .string(try one.keyPair("identity_private").publicKey.description),
            "inbox_id": .string(listening.route.id), "address": .string(listening.address.text),
        ]
    }

    private static func keyName(_ one: Case) async throws -> JSON {
        ["key_identifier": .hex(InboxV1.Profile.reference.keyName(of: PublicKey(try one.bytes("ephemeral_key"))))]
    }

    /// The profile of a case.
    static func profile(_ one: Case) throws -> InboxV1.Profile {
        guard let profile = InboxV1.Profile(rawValue: try one.text("profile")) else {
            throw Problem.notApplicable("profile \(try one.text("profile"))")
        }
        return profile
    }

    private static func idFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        for number in 0..<3 {
            for profile in ["libchat", "reference"] {
                cases.append(
                    draft(
                        "conversation-\(profile)-\(number)", "ids of a conversation from its secret (CT-02, PV1-06)",
                        [
                            "operation": "conversation", "profile": .string(profile),
                            "seed_key": maker.hex(32, "ids/conversation-\(number)"),
                        ]))
                cases.append(
                    draft(
                        "inbox-\(profile)-\(number)", "route and delivery address of an inbox (INBOX-10, INBOX-11)",
                        [
                            "operation": "inbox", "profile": .string(profile),
                            "identity_private": maker.hex(32, "ids/inbox-\(number)"),
                        ]))
            }
            cases.append(
                draft(
                    "key-\(number)", "four bytes that name a single-use key (INBOX-07)",
                    ["operation": "key", "ephemeral_key": maker.hex(32, "ids/key-\(number)")]))
        }
        return [VectorFile("ids.json", kind: "ids", profile: "libchat and reference", cases: cases)]
    }
}
