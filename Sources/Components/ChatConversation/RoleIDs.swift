import ChatCrypto
package import ChatModel

/// Ids of a conversation of two that both sides derive from their secret, one for each role.
///
/// A payload carries its recipient's id, so the two directions cannot be matched by it.
package struct RoleIDs: Equatable {
    /// Known to both sides and never sent.
    package let base: [UInt8]
    /// Names the conversation at the initiator.
    package let initiator: [UInt8]
    /// Names the conversation at the responder.
    package let responder: [UInt8]

    /// - Parameter size: bytes of each id: 16 as CT-02 has it, 18 in profile `libchat`.
    package init(_ secret: Secret, size: Int) {
        let base = BLAKE2b.derive(count: size, key: secret, personal: "L-PV1-CID").lend { Bytes(copying: $0).array }
        self.base = base
        initiator = BLAKE2b.hash(count: size, base + Array("I".utf8))
        responder = BLAKE2b.hash(count: size, base + Array("R".utf8))
    }
}
