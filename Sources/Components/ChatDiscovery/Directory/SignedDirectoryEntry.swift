internal import ChatCodec
internal import ChatCrypto
package import ChatModel

/// An entry as it is published: 1 uint32 `version` · 2 bytes `entry` · 3 bytes `signature`.
package struct SignedDirectoryEntry {
    /// The version there is.
    static let version: UInt64 = 1
    /// The prefix that the signature covers, followed by the entry's exact bytes, so that it is good for nothing else.
    fileprivate static let domain = Array("chat_directory_1_".utf8)

    /// The entry.
    package let entry: DirectoryEntry
    private let bytes: Bytes
    private let signature: [UInt8]

    /// Decodes a payload; ``verify()`` is to follow.
    package init(_ payload: Payload) throws(DirectoryRejection) {
        guard payload.count <= DirectoryLimits.entry else { throw .malformed }
        var (version, entry, signature) = (UInt64(0), 0..<0, 0..<0)
        do {
            var reader = ProtoReader(payload.span)
            while let field = try reader.next() {
                switch field {
                case 1: version = try reader.uint64()
                case 2: entry = try reader.range()
                case 3: signature = try reader.range()
                default: continue
                }
            }
        } catch {
            throw .malformed
        }
        guard version > 0 else { throw .malformed }
        guard version == Self.version else { throw .unsupported }
        guard signature.count == Ed25519.signatureSize else { throw .malformed }
        (self.bytes, self.signature) = (payload.slice(entry), payload.slice(signature).array)
        do { self.entry = try DirectoryEntry(decoding: bytes) } catch { throw .malformed }
    }

    /// Refuses an entry that was not searched for, or whose time is over.
    package func check(for query: DirectoryQuery, now: Timestamp) throws(DirectoryRejection) {
        guard entry.name.hasSameBytes(as: query.name.text) else { throw .otherName }
        guard query.publisher == nil || query.publisher == entry.publisher else { throw .otherPublisher }
        guard entry.expiry > now else { throw .expired }
    }

    /// Refuses an entry that its publisher did not sign.
    package func verify() throws(DirectoryRejection) {
        let message = Self.domain + bytes.array
        do { try Ed25519.verify(signature.span, of: message.span, by: entry.publisher) } catch { throw .forged }
    }
}

extension DirectoryEntry {
    /// The payload: this entry with the publisher's signature. Refuses what readers would refuse.
    package func signed(by seed: Secret) throws(DiscoveryError) -> Payload {
        guard bundles.count <= DirectoryLimits.bundles else {
            throw .tooLarge("bundles of an entry", count: bundles.count, limit: DirectoryLimits.bundles)
        }
        for scheme in bundles.map(\.scheme) {
            let count = scheme.utf8.count
            guard count > 0 else { throw .malformed("a bundle has a scheme", at: 0) }
            guard count <= DirectoryLimits.scheme else {
                throw .tooLarge("bytes of a scheme", count: count, limit: DirectoryLimits.scheme)
            }
        }
        let entry = encoded()
        let size =
            ProtoSize.field(1, SignedDirectoryEntry.version) + ProtoSize.field(2, count: entry.count)
            + ProtoSize.field(3, count: Ed25519.signatureSize)
        guard size <= DirectoryLimits.entry else {
            throw .tooLarge("bytes of an entry", count: size, limit: DirectoryLimits.entry)
        }
        let message = SignedDirectoryEntry.domain + entry.array
        let signature: [UInt8]
        do {
            signature = try Ed25519.sign(message.span, with: seed)
        } catch {
            throw .malformed("a signing seed has \(Ed25519.seedSize) bytes", at: 0)
        }
        return Bytes(headRoom: 0, count: size) { output in
            output.append(field: 1, SignedDirectoryEntry.version)
            output.append(field: 2, entry)
            output.append(field: 3, Bytes(signature))
        }
    }
}
