import ChatCodec
import ChatModel

/// What the contract asks of headers and kinds, of packets that come and packets that go alike.
enum KindRules {
    static func check(_ packet: Packet) throws(PacketViolation) {
        try checkHeaders(packet)
        switch packet.kind {
        case .heartbeat, .noop: try checkEmpty(packet)
        case .hook: try checkHook(packet)
        case .error: try checkError(packet)
        default:
            guard packet.hasContent else {
                throw PacketViolation(.content, "of kind \(packet.kind.rawValue.prefix(64)) has no content")
            }
        }
    }

    private static func checkHeaders(_ packet: Packet) throws(PacketViolation) {
        let kind = packet.kind.rawValue
        guard !Text.isPadded(kind) else { throw PacketViolation(.blanks, "has blanks around it", at: ".kind") }
        guard !kind.isEmpty, kind.utf8.allSatisfy(isWord) else {
            throw PacketViolation(.kind, "has characters outside [A-Za-z0-9._-]", at: ".kind")
        }
        let folded = PacketKind(rawValue: Text.lowercased(kind))
        guard !PacketKind.reserved.contains(folded) || folded == packet.kind else {
            throw PacketViolation(.kind, "is a reserved word in other letters: \(kind)", at: ".kind")
        }
        guard let messageID = packet.messageID else { return }
        guard !messageID.isEmpty, !Text.isPadded(messageID) else {
            throw PacketViolation(.blanks, "is empty or has blanks around it", at: ".messageId")
        }
        guard
            messageID.utf8.count <= Bounds.maximumMessageID
                || messageID.unicodeScalars.count <= Bounds.maximumMessageID
        else {
            throw PacketViolation(.blanks, "has more than \(Bounds.maximumMessageID) characters", at: ".messageId")
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Nothing at all beside the kind (SA-32).
    private static func checkEmpty(_ packet: Packet) throws(PacketViolation) {
        guard packet == Packet(packet.kind) else {
            throw PacketViolation(.emptyKind, "of kind \(packet.kind.rawValue) carries something")
        }
    }

    private static func checkHook(_ packet: Packet) throws(PacketViolation) {
        guard let payload = packet.payload else { return }
        guard let event = payload["event"]?.text, !event.isEmpty else {
            throw PacketViolation(.hook, "is no text, or empty", at: ".payload.event")
        }
    }

    private static func checkError(_ packet: Packet) throws(PacketViolation) {
        guard packet.carrier == .structured else { throw PacketViolation(.error, "of kind error has media") }
        guard let payload = packet.payload else { throw PacketViolation(.error, "of kind error has no payload") }
        _ = try StructuredError(payload)
    }
}
