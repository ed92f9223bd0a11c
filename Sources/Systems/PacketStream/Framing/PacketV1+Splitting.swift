import ChatModel

// Splitting packets whose binary frame is long.
extension PacketV1 {
    /// The size of chunks in bytes unless somebody says otherwise: a maximal frame would pass what gRPC takes by
    /// default.
    public static let chunkSize = 1 << 20

    /// The pieces of a packet, each a message of its own; the whole packet if it fits into one.
    ///
    /// - Parameters:
    ///   - packet: what is to be sent.
    ///   - chunkID: what the pieces share: 1 to 128 characters, not used again in the stream and partition.
    ///   - size: bytes of a piece; more where 256 of them would not do.
    public func split(
        _ packet: Packet, chunkID: String, size: Int = PacketV1.chunkSize
    ) throws(PacketViolation) -> [WirePacket] {
        let whole = try wire(packet)
        guard case .binary(let frame)? = whole.frame, frame.payload.count > max(1, size) else {
            try Bounds.check(whole)
            return [whole]
        }
        let total = frame.payload.count
        guard total <= Int(Bounds.maximumTotal) else {
            throw PacketViolation(.bounds, "has \(total) bytes; at most \(Bounds.maximumTotal) allowed")
        }
        let most = Int(Bounds.maximumChunks)
        let size = min(Bounds.maximumFrame, max(1, size, (total + most - 1) / most))
        let count = (total + size - 1) / size
        var pieces: [WirePacket] = []
        for index in 0..<count {
            let range = index * size..<min(total, (index + 1) * size)
            var (piece, part) = (whole, frame)
            part.payload = frame.payload.slice(range)
            piece.frame = .binary(part)
            var stream = whole.stream ?? StreamEnvelope()
            (stream.chunkID, stream.chunkIndex, stream.chunkCount) = (chunkID, UInt32(index), UInt32(count))
            (stream.chunkBytes, stream.totalBytes) = (UInt32(range.count), UInt32(total))
            piece.stream = stream
            try Bounds.check(piece)
            pieces.append(piece)
        }
        return pieces
    }
}
