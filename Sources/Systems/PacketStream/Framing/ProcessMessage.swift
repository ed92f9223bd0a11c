import ChatCodec
public import ChatModel

/// What a hub's stream carries in both directions, `ProcessRequest` and `ProcessResponse`: a packet, flow control, or
/// both.
public struct ProcessMessage: Hashable, Sendable {
    /// A packet.
    public var packet: WirePacket?
    /// Credits and acknowledgements.
    public var flow: FlowControl?

    /// A message.
    public init(packet: WirePacket? = nil, flow: FlowControl? = nil) {
        (self.packet, self.flow) = (packet, flow)
    }

    /// Decodes a message (SA-00, SA-04).
    public init(decoding bytes: Bytes) throws(PacketViolation) {
        self.init()
        try Bounds.check(message: bytes)
        var reader = ProtoReader(bytes.span)
        do {
            var pieces = Pieces()
            while let field = try reader.next() {
                switch (field, reader.wireType) {
                case (1, WireForm.delimited): try pieces.append(bytes.slice(try reader.range()))
                case (2, WireForm.delimited):
                    var merged = flow ?? FlowControl()
                    flow = nil
                    try merged.merge(field: &reader, of: bytes)
                    flow = merged
                default: continue
                }
            }
            guard let whole = pieces.whole else { return }
            var (merged, inner) = (WirePacket(), ProtoReader(whole.span))
            try merged.merge(&inner, of: whole, as: PacketMessage.dataPacket.numbers)
            packet = merged
        } catch { throw PacketViolation(error, in: "ProcessMessage") }
    }

    /// The encoding.
    public var encoded: Bytes {
        let measure = packet?.measured(PacketMessage.dataPacket.numbers)
        let size =
            (measure.map { ProtoSize.present(1, count: $0.size) } ?? 0)
            + (flow.map { ProtoSize.present(2, count: $0.size) } ?? 0)
        return Bytes(headRoom: 0, count: size) { output in
            if let packet, let measure {
                output.append(present: 1, count: measure.size)
                packet.write(measure, to: &output)
            }
            if let flow { output.append(present: 2, wire: flow) }
        }
    }
}
