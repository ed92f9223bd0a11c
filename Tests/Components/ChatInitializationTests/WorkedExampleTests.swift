import ChatCrypto
import ChatInitialization
import ChatModel
import TestSupport
import Testing

// The example of Specs/inbox-v1.md; its bytes were made by another program from the document alone.

private let saroKey = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
private let rayaKey = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
private let ephemeral = "ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b"

@Test(arguments: [
    (
        InboxV1.Profile.reference, "private-v1",
        "1a9301" + "0a5a"
            + "0a30b499e3c33ea3276e58b20ab9c905ac07f171b8ce1275ce6fc3958959152ded59258aa1e1f1b8b5e15d9c9fb4da9da4c1"
            + "1220\(ephemeral)" + "2204b43f8b33" + "1235000102030405060708090a0b"
            + "7924fa298ab593c0544543ef64073b5ed01980a1343a8ed51767fb5d7e805f2ab4d3ed1601bb84048f"
    ),
    (
        .libchat, "private-v1-libchat",
        "1aa301" + "0a8801" + "0a208520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
            + "1220\(ephemeral)" + "1a20de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
            + "22207b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14"
            + "12160a142a0764656661756c7432090a070a0568656c6c6f"
    ),
])
func `an invite is the worked example's bytes (IBX-1 to IBX-4)`(
    profile: InboxV1.Profile, type: String, invite: String
) throws {
    let script = ScriptedRandom([
        (.introEphemeralPrivate, [UInt8](repeating: 0x33, count: 32)),
        (.introSignatureZ, (0..<64).map { UInt8($0) }),
        (.handshakeEphemeralPrivate, [UInt8](repeating: 0x44, count: 32)),
    ])
    if profile == .reference { script.add(.nonce, (0..<12).map { UInt8($0) }) }
    func peer(_ key: String) throws -> Peer<InboxV1> {
        let identity = try X25519.keyPair(Secret([UInt8](hex: key)))
        return try Peer(InboxV1(identity: identity, profile: profile), random: script)
    }
    var (saro, raya) = try (peer(saroKey), peer(rayaKey))
    let sent = try saro.invite(ConversationType(type), with: raya.introduce()[0], saying: Bytes("hello"))
    #expect(sent.payload.array.hex == invite && script.undrawn.isEmpty)
    #expect([Listening(sent.address, sent.route)] == raya.machine.listening)
    let seed = try raya.receive(sent)
    #expect(seed.type.name == type && seed.opening == Bytes("hello"))
    #expect(seed.secret?.revealed.hex == "5ba426a048966c72f33b45b21f6c0f5d224860ea7bc59f094eb1066c3dfd2916")
}
