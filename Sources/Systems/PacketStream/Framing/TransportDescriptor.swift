import ChatCodec
import ChatModel

/// A transport of a workflow, by name: for those who look at packets. It has no endpoints and no credentials.
public struct TransportDescriptor: Hashable, Sendable {
    /// What was configured for a step.
    public struct Settings: Hashable, Sendable {
        /// Which transport it refers to, at most 253 characters.
        public var reference: String
        /// Why its mode was chosen, at most 512 characters.
        public var modeReason: String

        /// Settings.
        public init(reference: String = "", modeReason: String = "") {
            (self.reference, self.modeReason) = (reference, modeReason)
        }
    }

    /// Name, kind and mode, at most 128 characters each.
    public var name, kind, mode: String
    /// What was configured, if anything.
    public var settings: Settings?

    /// A transport.
    public init(name: String = "", kind: String = "", mode: String = "", settings: Settings? = nil) {
        (self.name, self.kind, self.mode, self.settings) = (name, kind, mode, settings)
    }
}

extension TransportDescriptor: WireMessage {
    init() { self.init(name: "") }

    var size: Int {
        ProtoSize.field(1, name) + ProtoSize.field(2, kind) + ProtoSize.field(3, mode)
            + (settings.map { ProtoSize.present(5, count: $0.size) } ?? 0)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, name)
        output.append(field: 2, kind)
        output.append(field: 3, mode)
        if let settings { output.append(present: 5, wire: settings) }
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.delimited): name = try reader.text()
            case (2, WireForm.delimited): kind = try reader.text()
            case (3, WireForm.delimited): mode = try reader.text()
            case (5, WireForm.delimited):
                var merged = settings ?? Settings()
                try merged.merge(field: &reader, of: bytes)
                settings = merged
            default: continue
            }
        }
    }
}

extension TransportDescriptor.Settings: WireMessage {
    init() { self.init(reference: "") }

    var size: Int { ProtoSize.field(1, reference) + ProtoSize.field(2, modeReason) }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, reference)
        output.append(field: 2, modeReason)
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.delimited): reference = try reader.text()
            case (2, WireForm.delimited): modeReason = try reader.text()
            default: continue
            }
        }
    }
}
