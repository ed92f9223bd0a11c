package import ChatCrypto
package import ChatModel

/// The nonce of a sealed packet: four bytes of zero and the packet's number, least significant byte first, as Noise
/// writes it.
struct PacketNonce: Sendable {
    private(set) var bytes = InlineArray<12, UInt8>(repeating: 0)

    init(_ number: UInt64) {
        for index in 0..<8 { bytes[4 + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }
    }
}

/// The fixed numbers of sealed datagrams.
package enum SealedFormat {
    /// The version in front of every datagram.
    package static let version: UInt8 = 2
    /// Bytes of a connection id.
    package static let idSize = 8
    /// Version, kind, connection id.
    package static let headerSize = 2 + idSize
    /// Flags and packet number, which are masked.
    package static let maskedSize = 9
    /// The header of a packet, all of which is authenticated.
    package static let packetHeaderSize = headerSize + maskedSize
    /// What a packet adds to its frames.
    package static let packetOverhead = packetHeaderSize + AEAD.tagSize
    /// Bytes of a key in a KEY frame.
    static let keySize = 32
    /// Bytes of the token of a RESET.
    package static let tokenSize = 16
    /// Bytes of a packet that only asks for an acknowledgement: as many as the CHALLENGE that may follow from a new
    /// path, on which no more is sent than came.
    static let pingSize = packetOverhead + 9
    /// Bytes of the sealed part that choose the mask.
    static let sampleSize = 12
    /// The bit of the flags that changes with every new key.
    static let phaseBit: UInt8 = 1
}

/// Why a sealed packet was not opened.
package enum SealedError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It has fewer bytes than the least packet.
    case tooShort(Int, least: Int)
    /// Bits are set that mean nothing.
    case flags(UInt8)
    /// It was sealed under a key that is neither the current nor the next one.
    case phase
    /// Its number was received, or is too old to tell.
    case replayed(UInt64)
    /// Its tag does not fit.
    case forged
    /// All numbers of a key are used; it must be replaced before.
    case exhausted

    /// One line for people.
    package var description: String {
        switch self {
        case .tooShort(let count, let least): "\(count) bytes; at least \(least) expected"
        case .flags(let flags): "flags \(flags) are not defined"
        case .phase: "sealed under a key that is not known"
        case .replayed(let number): "packet \(number) was received before, or is too old"
        case .forged: "the tag does not fit"
        case .exhausted: "no packet number left"
        }
    }
}

/// Keys of one direction: one seals packets and is replaced, the other masks their numbers and stays.
package struct PacketKey: Sendable, Equatable {
    /// Packets sealed under one key at most: far below what the cipher allows, so that a stolen key opens little.
    package static let lifetime: UInt64 = 1 << 20

    private let sealing: Secret
    private let masking: Secret
    /// How many keys came before it.
    package let generation: UInt64

    /// The first keys of a direction.
    ///
    /// - Parameters:
    ///   - sealing: what the handshake gave for the direction; 32 bytes.
    ///   - root: ``Noise/Outcome/root``.
    ///   - label: the direction's name, under which its mask key is derived.
    package init(sealing: Secret, root: Secret, label: String) throws(CryptoError) {
        let info = Array("chat-udp 2 mask \(label)".utf8)
        masking = try HKDF.blake2b512.expand(root, info: info.span, count: 32)
        (self.sealing, generation) = (sealing, 0)
    }

    private init(sealing: Secret, masking: Secret, generation: UInt64) {
        (self.sealing, self.masking, self.generation) = (sealing, masking, generation)
    }

    /// The key after this one, from which this one cannot be computed.
    ///
    /// - Parameter shared: the secret of a fresh exchange, so that who stole this key does not get the next one.
    package func next(mixing shared: Secret) throws(CryptoError) -> PacketKey {
        let key = try HKDF.blake2b512.derive(shared, salt: sealing, info: "chat-udp 2 key", count: 32)
        return PacketKey(sealing: key, masking: masking, generation: generation + 1)
    }

    private var phase: UInt8 { UInt8(truncatingIfNeeded: generation & 1) }

    /// A single packet, for vectors and tests. The caller must not use its number again.
    package func packet(_ frames: [UInt8], number: UInt64, id: UInt64) throws(CryptoError) -> [UInt8] {
        var bytes = SealedHandshake.header(.packet, id: id)
        bytes.append(contentsOf: repeatElement(0, count: SealedFormat.maskedSize))
        bytes += frames
        try seal(from: 0, number: number, in: &bytes)
        return bytes
    }

    /// Seals a packet where it was written, and appends its tag.
    ///
    /// - Parameter start: where the packet begins: its header, room for flags and number, and frames up to the end.
    func seal(from start: Int, number: UInt64, in bytes: inout [UInt8]) throws(CryptoError) {
        let frames = start + SealedFormat.packetHeaderSize
        let header = header(
            of: bytes.span.extracting(start..<bytes.count), flags: phase * SealedFormat.phaseBit, number: number)
        let nonce = PacketNonce(number)
        var tag = InlineArray<16, UInt8>(repeating: 0)
        var tagSpan = tag.mutableSpan
        var whole = bytes.mutableSpan
        var text = whole._mutatingExtracting(frames..<whole.count)
        try AEAD.chaChaPoly.seal(&text, tag: &tagSpan, nonce: nonce.bytes.span, aad: header.span, key: sealing)
        bytes.append(tag.span)
        let mask = try mask(bytes.span.extracting(frames..<frames + SealedFormat.sampleSize))
        for index in 0..<SealedFormat.maskedSize {
            bytes[start + SealedFormat.headerSize + index] = header[SealedFormat.headerSize + index] ^ mask[index]
        }
    }

    /// Flags and number of a packet, which nothing vouches for until it is opened.
    package func unmask(_ packet: Span<UInt8>) throws(SealedError) -> (flags: UInt8, number: UInt64) {
        guard packet.count >= SealedFormat.packetOverhead else {
            throw .tooShort(packet.count, least: SealedFormat.packetOverhead)
        }
        let sealed = SealedFormat.packetHeaderSize
        let mask: InlineArray<9, UInt8>
        do throws(CryptoError) {
            mask = try self.mask(packet.extracting(sealed..<sealed + SealedFormat.sampleSize))
        } catch {
            throw .forged
        }
        var number: UInt64 = 0
        for index in 1..<SealedFormat.maskedSize {
            number = number << 8 | UInt64(packet[SealedFormat.headerSize + index] ^ mask[index])
        }
        return (packet[SealedFormat.headerSize] ^ mask[0], number)
    }

    /// The frames of a packet, if it is authentic.
    package func open(_ packet: Span<UInt8>, flags: UInt8, number: UInt64) throws(SealedError) -> [UInt8] {
        guard packet.count >= SealedFormat.packetOverhead else {
            throw .tooShort(packet.count, least: SealedFormat.packetOverhead)
        }
        let aad = header(of: packet, flags: flags, number: number)
        let (nonce, sealed) = (PacketNonce(number), packet.extracting(SealedFormat.packetHeaderSize..<packet.count))
        var frames: [UInt8] = []
        do throws(CryptoError) {
            try frames.append(addingCapacity: sealed.count - AEAD.tagSize) { output throws(CryptoError) in
                try AEAD.chaChaPoly.open(
                    sealed, nonce: nonce.bytes.span, aad: aad.span, key: sealing, into: &output)
            }
        } catch {
            throw .forged
        }
        return frames
    }

    /// The header of a packet before it is masked.
    private func header(of packet: Span<UInt8>, flags: UInt8, number: UInt64) -> InlineArray<19, UInt8> {
        var header = InlineArray<19, UInt8>(repeating: flags)
        for index in 0..<SealedFormat.headerSize { header[index] = packet[index] }
        for index in 0..<8 {
            header[SealedFormat.headerSize + 1 + index] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index))
        }
        return header
    }

    /// The key stream of ChaCha20 from its second block on, which is the ciphertext of zeros.
    private func mask(_ sample: Span<UInt8>) throws(CryptoError) -> InlineArray<9, UInt8> {
        var mask = InlineArray<9, UInt8>(repeating: 0)
        var tag = InlineArray<16, UInt8>(repeating: 0)
        var maskSpan = mask.mutableSpan
        var tagSpan = tag.mutableSpan
        try AEAD.chaChaPoly.seal(&maskSpan, tag: &tagSpan, nonce: sample, aad: Span(), key: masking)
        return mask
    }
}
