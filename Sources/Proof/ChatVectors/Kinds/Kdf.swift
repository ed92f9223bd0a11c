import ChatCodec
import ChatConversation
import ChatCrypto
import ChatModel

// Kind `kdf`: derivations one by one.
extension Kind {
    static let kdf = Kind(name: "kdf", run: derive, files: derivations)

    private static func derive(_ one: Case) async throws -> JSON {
        let (function, input) = (try one.text("function"), try one.at("input"))
        if one.has("person") { try expectPersonal(function, try one.text("person")) }
        switch function {
        case "kdf_root":
            let keys = try DoubleRatchet.rootKeys(input.secret("root_key"), input.secret("dh"), parameters(one))
            return ["output": ["root_key": .hex(keys.root), "chain_key": .hex(keys.chain)]]
        case "kdf_chain":
            let keys = DoubleRatchet.chainKeys(try input.secret("chain_key"))
            return ["output": ["chain_key": .hex(keys.chain), "message_key": .hex(keys.message)]]
        case "kdf_message":
            let key = try DoubleRatchet.payloadKey(input.secret("message_key"), .reference)
            try expect("info", .string("PrivateV1MessageKey"), .string(one.text("info")))
            return ["output": ["aead_key": .hex(key)]]
        case "x3dh_kdf":
            try expect("info", "logos_chat_inbox", .string(one.text("info")))
            let shares = try Secret.joining([input.secret("dh1"), input.secret("dh2"), input.secret("dh3")])
            let secret = try HKDF.sha256.derive(shares, info: "logos_chat_inbox", count: 32)
            return ["output": ["shared_secret": .hex(secret)]]
        case "seed_key":
            let seed = BLAKE2b.derive(count: 32, key: try input.secret("shared_secret"), personal: "InboxV1-Seed")
            return ["output": ["seed_key": .hex(seed)]]
        case "conversation_ids":
            return ["output": roleIDs(try input.secret("seed_key"), size: 18)]
        case "inbox_id":
            return ["output": ["inbox_id": .hex(BLAKE2b.hash(count: 64, try input.bytes("installation_key")))]]
        case "frame_id":
            return ["output": ["frame_id": .hex(BLAKE2b.hash(count: 16, try input.bytes("encoded_frame")))]]
        case "keccak256": return ["output": ["digest": .hex(Keccak256.hash(try input.bytes("data")))]]
        default: throw Problem.notApplicable("function \(function)")
        }
    }

    /// The parameters whose root info a case names.
    static func parameters(_ one: Case) throws -> DoubleRatchet.Parameters {
        let info = try one.text("info")
        for known in [DoubleRatchet.Parameters.libchat, .reference] where known.rootInfo.description == info {
            return known
        }
        throw Problem.differs("info is one of no profile: \(info)")
    }

    static func roleIDs(_ seed: Secret, size: Int) -> JSON {
        let ids = RoleIDs(seed, size: size)
        return ["base": .hex(ids.base), "initiator": .hex(ids.initiator), "responder": .hex(ids.responder)]
    }

    private static func expectPersonal(_ function: String, _ text: String) throws {
        let known = ["seed_key": "InboxV1-Seed", "conversation_ids": "L-PV1-CID"][function] ?? ""
        try expect("person", .string(known), .string(text))
    }

    private static func derivations(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        func add(_ id: String, _ comment: String, _ function: String, _ more: JSON = [:], _ input: JSON) {
            let fields: JSON = ["function": .string(function)]
            cases.append(draft(id, comment, fields.adding(more).adding(["input": input])))
        }
        for (profile, info) in [("libchat", "DoubleRatchetRootKey"), ("reference", "PrivateV1RootKey")] {
            for number in 0..<3 {
                let id = "kdf-root-\(profile)-\(number)"
                add(
                    id, "KDF_RK: HKDF-BLAKE2b-512", "kdf_root", ["info": .string(info)],
                    ["root_key": maker.hex(32, "\(id)/root"), "dh": maker.hex(32, "\(id)/dh")])
            }
        }
        for number in 0..<3 {
            add(
                "kdf-chain-\(number)", "KDF_CK: keyed BLAKE2b, personal ck and mk", "kdf_chain", [:],
                ["chain_key": maker.hex(32, "kdf-chain-\(number)")])
            add(
                "kdf-message-\(number)", "KDF_MK of profile reference: HKDF-SHA-256", "kdf_message",
                ["info": "PrivateV1MessageKey"], ["message_key": maker.hex(32, "kdf-message-\(number)")])
            let id = "x3dh-kdf-\(number)"
            add(
                id, "X3DH without one-time prekey", "x3dh_kdf", ["info": "logos_chat_inbox"],
                ["dh1": maker.hex(32, "\(id)/1"), "dh2": maker.hex(32, "\(id)/2"), "dh3": maker.hex(32, "\(id)/3")])
            add(
                "seed-key-\(number)", "the secret of a conversation", "seed_key", ["person": "InboxV1-Seed"],
                ["shared_secret": maker.hex(32, "seed-key-\(number)")])
            add(
                "conversation-ids-\(number)", "ids of 18 bytes, one for each role (profile libchat)",
                "conversation_ids", ["person": "L-PV1-CID"], ["seed_key": maker.hex(32, "conversation-ids-\(number)")])
            add(
                "inbox-id-\(number)", "of 64 bytes, without prefix (profile libchat)", "inbox_id", [:],
                ["installation_key": maker.hex(32, "inbox-id-\(number)")])
        }
        for size in [0, 1, 14, 128, 129, 300] {
            add(
                "frame-id-\(size)", "of a frame of \(size) bytes", "frame_id", [:],
                ["encoded_frame": maker.hex(size, "frame-id-\(size)")])
        }
        for size in [0, 1, 135, 136, 137, 300] {
            add(
                "keccak256-\(size)", "of \(size) bytes; the block has 136", "keccak256", [:],
                ["data": maker.hex(size, "keccak256-\(size)")])
        }
        return [VectorFile("kdf.json", kind: "kdf", profile: "libchat and reference", cases: cases)]
    }
}
