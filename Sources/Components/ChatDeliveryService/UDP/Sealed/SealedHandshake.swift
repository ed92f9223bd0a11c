package import ChatCrypto
package import ChatModel

/// The datagrams of a sealed handshake; see Specs/udp-sealed.md.
package enum SealedHandshake {
    /// HELLO and WELCOME fill the least datagram that every path carries.
    package static let size = UDPFormat.maximumDatagram
    /// Bytes of each of a HELLO's two codes.
    package static let codeSize = 16
    /// Bytes of a RETRY: header, nonce, sealed cookie.
    package static let retrySize = SealedFormat.headerSize + 24 + codeSize + AEAD.tagSize

    /// Bytes of a RESET: header and token.
    package static let resetSize = SealedFormat.headerSize + SealedFormat.tokenSize

    /// Kinds of datagrams.
    package enum Kind: UInt8, Sendable {
        /// Client to relay: the first message of the handshake.
        case hello = 1
        /// Relay to client: come again with this cookie.
        case retry = 2
        /// Relay to client: the second message of the handshake.
        case welcome = 3
        /// Either way: there is no such session, with a token that proves it.
        case reset = 4
        /// Either way: sealed frames.
        case packet = 5
    }

    /// Where the codes of a HELLO lie: the first proves that the sender knows the relay's key, the second that it
    /// receives at its address.
    static let firstCode = size - 2 * codeSize..<size - codeSize
    static let secondCode = size - codeSize..<size

    /// What both sides mix into the handshake before its first message: another version or another client's id is
    /// another handshake.
    package static func prologue(id: UInt64) -> [UInt8] {
        var bytes = Array("chat-udp".utf8) + [SealedFormat.version]
        bytes.append(big: id)
        return bytes
    }

    static func header(_ kind: Kind, id: UInt64) -> [UInt8] {
        var bytes = [SealedFormat.version, kind.rawValue]
        bytes.append(big: id)
        return bytes
    }

    /// The kind and the connection id in front of a datagram.
    package static func header(of bytes: Span<UInt8>) throws(UDPError) -> (kind: Kind, id: UInt64) {
        var reader = FieldReader(bytes)
        let version: UInt8 = try reader.number()
        guard version == SealedFormat.version else { throw .unknownVersion(version) }
        let code: UInt8 = try reader.number()
        guard let kind = Kind(rawValue: code) else { throw .unknownKind(code) }
        return (kind, try reader.number())
    }

    /// A HELLO: header, first message with its payload padded, and both codes.
    ///
    /// - Parameters:
    ///   - message: the first message of the handshake, of ``messageSize`` bytes.
    ///   - cookie: from the last RETRY; nil before.
    package static func hello(
        id: UInt64, message: [UInt8], relay: PublicKey, cookie: Secret?
    ) throws(UDPError) -> [UInt8] {
        guard message.count == messageSize else { throw .malformed("first message", at: SealedFormat.headerSize) }
        var bytes = header(.hello, id: id) + message
        bytes += code(bytes.span, key: firstKey(relay))
        bytes += cookie.map { code(bytes.span, key: $0) } ?? [UInt8](repeating: 0, count: codeSize)
        return bytes
    }

    /// Bytes of the first message in a HELLO and of the second in a WELCOME.
    package static let messageSize = size - SealedFormat.headerSize - 2 * codeSize
    /// Bytes of the second message in a WELCOME.
    package static let answerSize = size - SealedFormat.headerSize

    /// A HELLO that a relay should read: of the right size, from somebody who knows its key.
    package struct ReadHello: Sendable, Equatable {
        /// The id under which the client wants to be written to.
        package let id: UInt64
        /// Where the first message lies.
        package let message: Range<Int>
        /// Code over the message, to which a RETRY is bound.
        package let code: [UInt8]
    }

    /// Reads a HELLO; costs two hashes and no curve.
    package static func readHello(_ bytes: Span<UInt8>, relay: PublicKey) throws(UDPError) -> ReadHello {
        guard bytes.count == size else { throw .truncated(needed: size - bytes.count, at: bytes.count) }
        let (kind, id) = try header(of: bytes)
        guard kind == .hello else { throw .unknownKind(kind.rawValue) }
        let expected = code(bytes.extracting(0..<firstCode.lowerBound), key: firstKey(relay))
        guard isEqual(bytes.extracting(firstCode), expected) else {
            throw .malformed("first code", at: firstCode.lowerBound)
        }
        return ReadHello(
            id: id, message: SealedFormat.headerSize..<firstCode.lowerBound, code: expected)
    }

    /// Whether a HELLO shows a cookie.
    package static func isProven(_ bytes: Span<UInt8>, cookie: Secret) -> Bool {
        guard bytes.count == size else { return false }
        return isEqual(bytes.extracting(secondCode), code(bytes.extracting(0..<secondCode.lowerBound), key: cookie))
    }

    /// The key of the first code, which everybody knows who knows the relay's.
    private static func firstKey(_ relay: PublicKey) -> Secret { labelled("chat-udp 2 first", relay) }
    private static func retryKey(_ relay: PublicKey) -> Secret { labelled("chat-udp 2 retry", relay) }

    private static func labelled(_ label: String, _ relay: PublicKey) -> Secret {
        let digest = BLAKE2b.hash(count: 32) { input in
            input.update(Array(label.utf8))
            input.update(relay.bytes)
        }
        return Secret(copying: digest.span)
    }

    static func code(_ bytes: Span<UInt8>, key: Secret) -> [UInt8] {
        BLAKE2b.code(count: codeSize, of: bytes, key: key)
    }

    static func isEqual(_ bytes: Span<UInt8>, _ other: [UInt8]) -> Bool {
        guard bytes.count == other.count else { return false }
        // All bytes are looked at, whichever differ.
        return bytes.indices.reduce(0 as UInt8) { $0 | (bytes[$1] ^ other[$1]) } == 0
    }
}

// Cookies: what a relay under load asks for, sealed so that only who sent the HELLO can use it.
extension SealedHandshake {
    /// A RETRY for a HELLO.
    ///
    /// - Parameter nonce: 24 random bytes.
    package static func retry(
        _ hello: ReadHello, cookie: Secret, nonce: [UInt8], relay: PublicKey
    ) throws(CryptoError) -> [UInt8] {
        var bytes = header(.retry, id: hello.id) + nonce
        try bytes.append(addingCapacity: codeSize + AEAD.tagSize) { output throws(CryptoError) in
            try cookie.lend { cookie throws(CryptoError) in
                try AEAD.xChaChaPoly.seal(
                    cookie, nonce: nonce.span, aad: hello.code.span, key: retryKey(relay), into: &output)
            }
        }
        return bytes
    }

    /// The cookie in a RETRY that answers one's own HELLO.
    package static func cookie(in bytes: Span<UInt8>, hello: Span<UInt8>, relay: PublicKey) throws(UDPError) -> Secret {
        guard bytes.count == retrySize, hello.count == size else {
            throw .truncated(needed: max(0, retrySize - bytes.count), at: bytes.count)
        }
        let nonce = bytes.extracting(SealedFormat.headerSize..<SealedFormat.headerSize + 24)
        let aad = hello.extracting(firstCode)
        var cookie: [UInt8] = []
        do throws(CryptoError) {
            try cookie.append(addingCapacity: codeSize) { output throws(CryptoError) in
                try AEAD.xChaChaPoly.open(
                    bytes.extracting(SealedFormat.headerSize + 24..<retrySize), nonce: nonce, aad: aad,
                    key: retryKey(relay), into: &output)
            }
        } catch {
            throw .malformed("cookie", at: SealedFormat.headerSize + 24)
        }
        return Secret(copying: cookie.span)
    }

    /// The token of a RESET: only who has the relay's private key can compute it, also after a restart (UDP2-14).
    package static func resetToken(of id: UInt64, relay: KeyPair) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: id)
        let key = BLAKE2b.authenticate(count: 32, Array("chat-udp 2 reset".utf8).span, key: relay.secret)
        return BLAKE2b.code(count: SealedFormat.tokenSize, of: bytes.span, key: key)
    }

    /// A WELCOME: header and second message.
    package static func welcome(id: UInt64, message: [UInt8]) throws(UDPError) -> [UInt8] {
        guard message.count == answerSize else { throw .malformed("second message", at: SealedFormat.headerSize) }
        return header(.welcome, id: id) + message
    }
}

/// The cookies of a relay, which it need not remember: a code over the address under a key that changes.
package struct SealedCookies: Sendable {
    /// After this time the key changes; the one before is good for as long again.
    static let lifetime = MicrosecondSpan(60_000_000)
    private let key: Secret

    /// - Parameter key: 32 random bytes that only this relay has.
    package init(key: Secret) {
        self.key = key
    }

    /// The cookie of an address now.
    package func make(_ peer: NetworkAddress, _ now: MonotonicInstant) -> Secret { cookie(peer, period(now)) }

    /// Whether a HELLO shows the cookie of its address, from this period or the one before.
    package func isProven(_ hello: Span<UInt8>, from peer: NetworkAddress, _ now: MonotonicInstant) -> Bool {
        let period = period(now)
        let isNew = SealedHandshake.isProven(hello, cookie: cookie(peer, period))
        let isOld = SealedHandshake.isProven(hello, cookie: cookie(peer, period &- 1))
        return isNew || isOld
    }

    private func period(_ now: MonotonicInstant) -> UInt64 { now.microseconds / Self.lifetime.count }

    private func cookie(_ peer: NetworkAddress, _ period: UInt64) -> Secret {
        var text: [UInt8] = []
        text.append(big: period)
        text.append(big: peer.high)
        text.append(big: peer.low)
        text.append(big: peer.port)
        text.append(big: peer.scope)
        return BLAKE2b.authenticate(count: SealedHandshake.codeSize, text.span, key: key)
    }
}
