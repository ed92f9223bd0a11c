/// What a repository of the contract's implementations would have to change, so that a packet of it keeps a rule
/// (section 11 of `Specs/packet-stream.md`). Readers change first, then writers; then interop mode can go.
public struct PacketChange: Hashable, Sendable {
    /// Where the change belongs.
    public enum Repository: String, Hashable, Sendable, CaseIterable {
        /// Owns the messages, the envelope, and their versions.
        case tractatus
        /// Versions and checks of a session's start.
        case core
        /// The SDK that steps are written with.
        case sdk = "bubu-sdk-go"
        /// The hub.
        case hub = "bobravoz"
        /// The steps.
        case engrams
        /// Whoever wrote the bytes: no known implementation writes such.
        case writer = "the writer"
    }

    /// Where.
    public let repository: Repository
    /// What, in one line.
    public let what: String

    init(_ repository: Repository, _ what: String) {
        (self.repository, self.what) = (repository, what)
    }

    /// Headers beside an envelope that repeat it.
    static let forShadowKeys = [
        PacketChange(.sdk, "stop writing shadow keys beside an envelope, once readers take its headers (D3)"),
        PacketChange(.hub, "never rewrite shadow keys"),
    ]

    /// What has to change where a rule is broken.
    public static func changes(for rule: PacketRule) -> [PacketChange] {
        switch rule {
        case .version:
            [
                .init(.tractatus, "own all versions: envelope, hook and error v1, transport protocol 1.0.0 (D6)"),
                .init(.sdk, "check the version of an envelope"),
            ]
        case .handshake, .tooEarly:
            [
                .init(.tractatus, "own the version of the transport protocol (D6)"),
                .init(.core, "re-export versions; keep checks of a session's start alone"),
            ]
        case .objectsOnly:
            [
                .init(.tractatus, "let payload and inputs be objects only, in types and when decoding (D1)"),
                .init(.engrams, "send JSON that is no object as opaque bytes with its MIME type (D2)"),
            ]
        case .mirror, .oneCarrier:
            [
                .init(.tractatus, "decide that a packet has one carrier"),
                .init(.sdk, "stop mirroring payload, inputs and transports beside the envelope"),
                .init(.hub, "decode, de-duplicate and replay by the same rules"),
                .init(.engrams, "read the one carrier instead of inputs, payload, binary in turn"),
            ]
        case .mediaType, .noPayload:
            [
                .init(
                    .sdk,
                    "require a MIME type of opaque bytes instead of assuming one; copy nothing into the payload (D2)")
            ]
        case .shadowConflict, .absentHeader, .reservedKey:
            forShadowKeys + [
                .init(.sdk, "take message id and timestamp from the envelope, also for de-duplication (D3)")
            ]
        case .shadowHeader:
            [
                .init(.tractatus, "give packets headers of their own, for media and opaque bytes"),
                .init(.sdk, "write timestamps as decimal numbers above 0"),
            ]
        case .timestamp: [.init(.tractatus, "refuse negative timestamps when decoding, as when encoding")]
        case .content:
            [
                .init(.sdk, "let builder, encoder, validator and test kit agree which kinds may come alone (D4)")
            ]
        case .noFrame:
            [
                .init(
                    .sdk, "send heartbeats as kind heartbeat, and decode packets without frame instead of skipping them"
                ),
                .init(.hub, "refuse packets without frame"),
            ]
        case .emptyKind: [.init(.sdk, "add no trace metadata to heartbeat and noop")]
        case .hook: [.init(.tractatus, "check the payload of a hook"), .init(.sdk, "know the kind hook")]
        case .error:
            [
                .init(.tractatus, "define the kind error"),
                .init(.sdk, "look at the frame that came, not at a mirror, when an error is checked"),
            ]
        case .opaqueAlone, .mediaContext:
            [
                .init(.sdk, "never write payload, inputs or transports beside opaque bytes (D5)"),
                .init(.engrams, "send structured data and opaque bytes in packets of their own"),
            ]
        case .chunk, .stream, .sequence:
            [
                .init(.sdk, "check places and pieces before sending; take headers from index 0")
            ]
        case .wire, .envelope, .unknownKey, .bounds, .frame, .reservedType, .exactType, .exactNumber, .blanks,
            .metadata, .kind, .inverse:
            [.init(.writer, "keep \(rule.rawValue): no known implementation writes this")]
        }
    }
}
