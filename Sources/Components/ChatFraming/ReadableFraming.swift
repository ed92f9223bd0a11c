package import ChatModel

/// A framing in which a stranger on the wire sees where the payload is, though not for whom.
///
/// The simulator looks with it at what is sealed; a framing of another kind is not looked into.
package protocol ReadableFraming: FramingStrategy {
    /// The payload in bytes off the wire; nil where they are none of this framing.
    func payload(in bytes: Bytes) -> Payload?
}

extension EnvelopeV1: ReadableFraming {
    /// Field 5; nil where it is absent.
    package func payload(in bytes: Bytes) -> Payload? {
        guard let payload = try? Self.fields(of: bytes).payload, !payload.isEmpty else { return nil }
        return bytes.slice(payload)
    }
}

extension PlainFraming: ReadableFraming {
    /// What stands behind the route and the length.
    package func payload(in bytes: Bytes) -> Payload? { try? parse(bytes).payload }
}

extension RPIV1: ReadableFraming {
    /// What stands behind the identifier.
    package func payload(in bytes: Bytes) -> Payload? {
        bytes.count >= RouteIdentifier.size ? bytes.slice(RouteIdentifier.size..<bytes.count) : nil
    }
}
