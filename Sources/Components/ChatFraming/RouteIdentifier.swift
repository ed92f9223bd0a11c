internal import ChatCrypto
internal import ChatModel

/// The 16 bytes in front of a payload: derived from a route's secret, and from its sequence or a salt.
struct RouteIdentifier: Hashable, Sendable {
    /// Bytes on the wire.
    static let size = 16

    private let (high, low): (UInt64, UInt64)

    private init(high: UInt64, low: UInt64) {
        (self.high, self.low) = (high, low)
    }

    /// Reads the first bytes of a payload; there must be as many.
    init(_ bytes: Span<UInt8>) {
        (high, low) = (bytes.bigEndian(0..<8), bytes.bigEndian(8..<16))
    }

    /// Identifiers are as good as random, so any of their words is a hash.
    func hash(into hasher: inout Hasher) { hasher.combine(low) }

    /// Appends the 16 bytes.
    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        for word in [high, low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                output.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
    }

    /// The keys from which a route's identifiers are derived.
    struct Key: Sendable {
        /// Separates this use of a secret from all others (RPI-01).
        static let domain = "logos-chat/rpi/v1"
        private let secret: Secret

        /// HMAC-SHA-256 of the domain, the address and the route's id under the route's secret (RPIV1-2).
        ///
        /// The route of a first contact has no secret; its id takes the place of one.
        init(_ address: DeliveryAddress, _ route: Route) {
            func derive(_ key: Span<UInt8>) -> Secret {
                HMAC.sha256.authenticate(key: key) { input in
                    input.update(Self.domain.utf8Span.span)
                    let count = UInt32(truncatingIfNeeded: address.text.utf8.count)
                    for shift in [24, 16, 8, 0] as [UInt32] { input.update(UInt8(truncatingIfNeeded: count >> shift)) }
                    input.update(address.text.utf8Span.span)
                    input.update(route.id.utf8Span.span)
                }
            }
            secret = route.secret.map { $0.lend(to: derive) } ?? derive(route.id.utf8Span.span)
        }

        /// The identifier of a sequence: a tag, and the sequence masked with what follows from the tag (RPIV1-1).
        func identifier(_ sequence: UInt64) -> RouteIdentifier {
            let tag = derive(.tag, sequence)
            return RouteIdentifier(high: tag, low: sequence ^ derive(.mask, tag))
        }

        /// The sequence of an identifier of this route; nil for one that is not of this route.
        func sequence(of identifier: RouteIdentifier) -> UInt64? {
            let sequence = identifier.low ^ derive(.mask, identifier.high)
            return derive(.tag, sequence) == identifier.high ? sequence : nil
        }

        /// The identifier with a salt, for a route whose payloads are not counted (RPIV1-3).
        func identifier(salt: UInt64) -> RouteIdentifier { RouteIdentifier(high: salt, low: derive(.salted, salt)) }

        /// The purpose of a derivation.
        private enum Use: UInt8 { case tag = 1, mask, salted }

        /// Eight bytes of keyed BLAKE2b of a use and a number, as a number; all are big-endian.
        private func derive(_ use: Use, _ number: UInt64) -> UInt64 {
            var input = InlineArray<9, UInt8>(repeating: use.rawValue)
            for index in 0..<8 { input[index + 1] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index)) }
            var code = InlineArray<8, UInt8>(repeating: 0)
            var span = code.mutableSpan
            BLAKE2b.authenticate(into: &span, input.span, key: secret)
            return code.span.bigEndian(0..<8)
        }
    }

    /// The salt of an identifier that has one.
    var salt: UInt64 { high }
}
