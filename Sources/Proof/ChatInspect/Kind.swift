/// What can be inspected; the raw value is what one types.
public enum Kind: String, CaseIterable, Sendable {
    /// A text such as `logos_chatintro_1_…`.
    case link
    /// `IntroBundle`, what a link of `chatintro_1` carries.
    case bundle
    /// The bundle of OpenInvite.
    case openBundle = "open-bundle"
    /// `SignedDirectoryEntry`.
    case directory
    /// `EnvelopeV1`.
    case envelope
    /// The envelope of plain framing.
    case plain
    /// An identifier of `rpi-v1` and what follows it.
    case rpi
    /// `EncryptedPayload`, what an envelope carries.
    case payload
    /// `Doubleratchet`, one message of a ratchet.
    case ratchet
    /// `InboxHandshakeV1`, an invite.
    case handshake
    /// `InboxV1Frame`, what an invite says.
    case inboxFrame = "inbox-frame"
    /// The invite of OpenInvite.
    case openInvite = "open-invite"
    /// `PrivateV1Frame` as libchat writes it.
    case libchatFrame = "frame-libchat"
    /// `PrivateV1Frame` as the PRIVATE1 document has it.
    case frame
    /// The payload of a plain conversation.
    case plainFrame = "plain-frame"
    /// `Message` of SDS.
    case sds
    /// The same in the layout of chat_proto.
    case reliable
    /// `SegmentMessageProto`.
    case segment
    /// `ContentFrame`.
    case content
    /// A datagram between a client and a relay.
    case datagram
    /// A message that datagrams carry.
    case message
    /// A message with a streaming packet.
    case packet

    /// The name of it in its document.
    public var title: String {
        switch self {
        case .link: "introduction link"
        case .bundle: "IntroBundle"
        case .openBundle: "bundle of OpenInvite"
        case .directory: "SignedDirectoryEntry"
        case .envelope: "EnvelopeV1"
        case .plain: "plain framing"
        case .rpi: "private identifier"
        case .payload: "EncryptedPayload"
        case .ratchet: "Doubleratchet"
        case .handshake: "InboxHandshakeV1"
        case .inboxFrame: "InboxV1Frame"
        case .openInvite: "invite of OpenInvite"
        case .libchatFrame: "PrivateV1Frame of libchat"
        case .frame: "PrivateV1Frame"
        case .plainFrame: "payload of a plain conversation"
        case .sds: "SDS message"
        case .reliable: "ReliablePayload"
        case .segment: "SegmentMessageProto"
        case .content: "ContentFrame"
        case .datagram: "UDP datagram"
        case .message: "message of the relay protocol"
        case .packet: "streaming packet"
        }
    }

    /// The section that defines it.
    public var section: Section {
        switch self {
        case .link: Section("intro-links.md", "Form")
        case .bundle: Section("inbox-v1.md", "Bundle")
        case .openBundle, .openInvite: Section("open-invite.md", "Format")
        case .directory: Section("directory.md", "Entries")
        case .envelope: Section("envelope-v1.md", "Format")
        case .plain: Section("plain-framing.md", "Format")
        case .rpi: Section("rpi-v1.md", "Format")
        case .payload: Section("wire.md", "Shared layouts")
        case .ratchet: Section("double-ratchet.md", "Sending")
        case .handshake, .inboxFrame: Section("inbox-v1.md", "Invite")
        case .libchatFrame: Section("private-v1.md", "From content to payload")
        case .frame: Section("reliable.md", "Frame")
        case .plainFrame: Section("plain-conversation.md", "Format")
        case .sds, .reliable: Section("sds.md", "Message")
        case .segment: Section("segmentation.md", "Segment")
        case .content: Section("content-frames.md", "Frame")
        case .datagram: Section("udp.md", "Datagrams")
        case .message: Section("udp.md", "Messages")
        case .packet: Section("packet-stream.md", "3. Protobuf layer")
        }
    }
}
