import ChatCodec
public import ChatModel

/// What a control stream carries, `ControlRequest` and `ControlResponse`: a directive and what belongs to it.
public struct ControlMessage: Hashable, Sendable {
    /// The two messages; only a response has an error.
    public enum Form: String, Hashable, Sendable, CaseIterable {
        /// From a step to its connector.
        case request = "ControlRequest"
        /// From a connector to its step.
        case response = "ControlResponse"
    }

    /// What went wrong at the connector.
    public struct Failure: Hashable, Sendable {
        /// Not negative.
        public var code: Int32
        /// At most 2,048 characters.
        public var message: String
        /// At most 50 pairs.
        public var details: Metadata

        /// An error.
        public init(code: Int32 = 0, message: String = "", details: Metadata = [:]) {
            (self.code, self.message, self.details) = (code, message, details)
        }
    }

    /// The number of a ``ControlAction``; others are kept.
    public var actionNumber: Int32
    /// Names and values.
    public var metadata: Metadata
    /// Credits and acknowledgements.
    public var flow: FlowControl?
    /// An action by name, at most 128 characters; wins over the number unless it is blank.
    public var customAction: String
    /// What went wrong, in a response.
    public var failure: Failure?

    /// A directive.
    public init(
        _ action: ControlAction? = nil, metadata: Metadata = [:], flow: FlowControl? = nil, customAction: String = "",
        failure: Failure? = nil
    ) {
        (self.actionNumber, self.metadata, self.flow) = (action?.rawValue ?? 0, metadata, flow)
        (self.customAction, self.failure) = (customAction, failure)
    }

    /// What is asked for, by name: the custom action unless it is blank, else the action's; empty if neither is known.
    public var name: String {
        if !customAction.isEmpty, !customAction.unicodeScalars.allSatisfy(\.properties.isWhitespace) {
            return customAction
        }
        return ControlAction(rawValue: actionNumber)?.name ?? ""
    }

    /// The answer to a directive, which says what was answered (SA-61); an `ack` is not answered.
    public func ack(handled: Bool, reason: String = "") -> ControlMessage? {
        guard name != ControlAction.ack.name else { return nil }
        return ControlMessage(
            .ack, metadata: ["handled": handled ? "true" : "false", "reason": reason, "type": name])
    }

    /// Decodes a message (SA-00, SA-04).
    public init(decoding bytes: Bytes, as form: Form) throws(PacketViolation) {
        self.init()
        try Bounds.check(message: bytes)
        var reader = ProtoReader(bytes.span)
        do { try merge(&reader, of: bytes, as: form) } catch { throw PacketViolation(error, in: form.rawValue) }
    }

    /// Checks the bounds (SA-04).
    public func check() throws(PacketViolation) {
        try Bounds.check(metadata)
        try Bounds.check(customAction, Bounds.maximumName, at: ".custom_action")
        try flow?.check()
        guard let failure else { return }
        guard failure.code >= 0 else { throw PacketViolation(.bounds, "is \(failure.code)", at: ".error.code") }
        try Bounds.check(failure.message, Bounds.maximumErrorMessage, at: ".error.message")
        try Bounds.check(failure.details, pairs: Bounds.maximumDetails)
    }

    /// The encoding; a request has no error.
    public func encoded(as form: Form) -> Bytes {
        let failure = form == .response ? failure : nil
        let size =
            ProtoSize.field(1, signed: actionNumber) + ProtoSize.field(2, metadata)
            + (flow.map { ProtoSize.present(3, count: $0.size) } ?? 0) + ProtoSize.field(4, customAction)
            + (failure.map { ProtoSize.present(5, count: $0.size) } ?? 0)
        return Bytes(headRoom: 0, count: size) { output in
            output.append(field: 1, signed: actionNumber)
            output.append(field: 2, metadata)
            if let flow { output.append(present: 3, wire: flow) }
            output.append(field: 4, customAction)
            if let failure { output.append(present: 5, wire: failure) }
        }
    }

    @_lifetime(reader: copy reader)
    private mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes, as form: Form) throws(WireError) {
        var pairs: [(String, String)] = []
        var pieces = Pieces()
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.varint): actionNumber = try reader.int32()
            case (2, WireForm.delimited): try pairs.append(entryOf: &reader)
            case (3, WireForm.delimited):
                var merged = flow ?? FlowControl()
                flow = nil
                try merged.merge(field: &reader, of: bytes)
                flow = merged
            case (4, WireForm.delimited): customAction = try reader.text()
            case (5, WireForm.delimited) where form == .response:
                try pieces.append(bytes.slice(try reader.range()))
            default: continue
            }
        }
        metadata = Metadata(pairs)
        if let whole = pieces.whole { failure = try Failure(decodingWire: whole) }
    }
}

extension ControlMessage.Failure: WireMessage {
    init() { self.init(code: 0) }

    var size: Int { ProtoSize.field(1, signed: code) + ProtoSize.field(2, message) + ProtoSize.field(3, details) }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, signed: code)
        output.append(field: 2, message)
        output.append(field: 3, details)
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        var pairs: [(String, String)] = []
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.varint): code = try reader.int32()
            case (2, WireForm.delimited): message = try reader.text()
            case (3, WireForm.delimited): try pairs.append(entryOf: &reader)
            default: continue
            }
        }
        details = Metadata(pairs)
    }
}

extension [(String, String)] {
    /// Reads one more entry of a map, as long as there are not far too many.
    @_lifetime(reader: copy reader)
    mutating func append(entryOf reader: inout ProtoReader) throws(WireError) {
        guard count < Bounds.maximumEntries else {
            throw .tooLong("map", bytes: count + 1, limit: Bounds.maximumEntries)
        }
        append(try reader.entry())
    }
}
