package import ChatCodec
internal import ChatCrypto
package import ChatModel

/// The entry of a publisher under a name; see `Specs/directory.md` for the layout.
package struct DirectoryEntry: ProtoMessage {
    /// Field 1: the name, in its one form.
    package let name: String
    /// Field 2: the publisher's Ed25519 key, 32 bytes.
    package let publisher: PublicKey
    /// Field 3: grows with every entry of the publisher under the name.
    package let sequence: UInt64
    /// Field 4: when the entry is no good any more.
    package let expiry: Timestamp
    /// Field 5, repeated: the bundles; none withdraws earlier ones.
    package let bundles: [IntroductionBundle]

    /// Makes an entry.
    package init(
        name: String, publisher: PublicKey, sequence: UInt64, expiry: Timestamp, bundles: [IntroductionBundle]
    ) {
        (self.name, self.publisher, self.sequence) = (name, publisher, sequence)
        (self.expiry, self.bundles) = (expiry, bundles)
    }

    /// Decodes an entry within the limits; whether it is good is not decided here.
    package init(decoding bytes: Bytes) throws(WireError) {
        var (name, publisher, sequence, expiry) = ("", 0..<0, UInt64(0), UInt64(0))
        var bundles: [IntroductionBundle] = []
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.string(limit: DirectoryLimits.name)
            case 2: publisher = try reader.range()
            case 3: sequence = try reader.uint64()
            case 4: expiry = try reader.uint64()
            case 5:
                guard bundles.count < DirectoryLimits.bundles else {
                    throw .tooLong("bundles", bytes: bundles.count + 1, limit: DirectoryLimits.bundles)
                }
                bundles.append(try IntroductionBundle(bytes.slice(try reader.range())))
            default: continue
            }
        }
        guard publisher.count == Ed25519.publicKeySize else {
            throw .wrongLength("publisher", bytes: publisher.count, expected: Ed25519.publicKeySize)
        }
        self.init(
            name: name, publisher: PublicKey(bytes.slice(publisher).array), sequence: sequence,
            expiry: Timestamp(milliseconds: expiry), bundles: bundles)
    }

    /// The size of its encoding in bytes.
    package var size: Int {
        let head =
            ProtoSize.field(1, count: name.utf8.count) + ProtoSize.field(2, count: publisher.bytes.count)
            + ProtoSize.field(3, sequence) + ProtoSize.field(4, expiry.milliseconds)
        return bundles.reduce(head) { $0 + ProtoSize.present(5, count: $1.size) }
    }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    package func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, name)
        output.append(field: 2, Bytes(publisher.bytes))
        output.append(field: 3, sequence)
        output.append(field: 4, expiry.milliseconds)
        for bundle in bundles {
            output.append(present: 5, count: bundle.size)
            bundle.write(to: &output)
        }
    }
}

/// A bundle inside an entry: 1 string `scheme` · 2 bytes `bytes` · 3 uint64 `expiry` · 4 bool `single_use`.
extension IntroductionBundle {
    fileprivate init(_ bytes: Bytes) throws(WireError) {
        var bundle = IntroductionBundle(scheme: "", bytes: [])
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: bundle.scheme = try reader.string(limit: DirectoryLimits.scheme)
            case 2: bundle.bytes = bytes.slice(try reader.range())
            case 3:
                let expiry = try reader.uint64()
                bundle.expiry = expiry == 0 ? nil : Timestamp(milliseconds: expiry)
            case 4: bundle.isSingleUse = try reader.bool()
            default: continue
            }
        }
        guard !bundle.scheme.isEmpty else { throw .missing("scheme") }
        self = bundle
    }

    fileprivate var size: Int {
        ProtoSize.field(1, count: scheme.utf8.count) + ProtoSize.field(2, count: bytes.count)
            + ProtoSize.field(3, expiry?.milliseconds ?? 0) + ProtoSize.field(4, isSingleUse ? 1 : 0)
    }

    @_lifetime(output: copy output)
    fileprivate func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, scheme)
        output.append(field: 2, bytes)
        output.append(field: 3, expiry?.milliseconds ?? 0)
        output.append(field: 4, isSingleUse ? 1 : 0)
    }
}
