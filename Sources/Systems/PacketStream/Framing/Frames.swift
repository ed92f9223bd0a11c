import ChatCodec
public import ChatModel

/// Sound: the bytes of one frame, and how to play them.
public struct AudioFrame: Hashable, Sendable {
    /// The samples, or the bytes of a codec: 1 byte to 10 MiB.
    public var pcm: Bytes
    /// Samples in a second: 8,000 to 192,000.
    public var sampleRate: Int32
    /// 1 to 8.
    public var channels: Int32
    /// The codec's name, at most 32 characters; may be empty.
    public var codec: String
    /// Media time in milliseconds; 0 where there is none.
    public var timestamp: UInt64

    /// A frame.
    public init(
        pcm: Bytes = [], sampleRate: Int32 = 0, channels: Int32 = 0, codec: String = "", timestamp: UInt64 = 0
    ) {
        (self.pcm, self.sampleRate, self.channels) = (pcm, sampleRate, channels)
        (self.codec, self.timestamp) = (codec, timestamp)
    }
}

/// Pictures: the bytes of one frame, and how to show them.
public struct VideoFrame: Hashable, Sendable {
    /// The picture: 1 byte to 10 MiB.
    public var payload: Bytes
    /// The codec's name, at most 32 characters; empty only for raw frames.
    public var codec: String
    /// Pixels in a row and rows: at most 16,384; raw frames need both.
    public var width, height: UInt32
    /// Media time in milliseconds; 0 where there is none.
    public var timestamp: UInt64
    /// Whether the bytes are pixels and not those of a codec.
    public var isRaw: Bool

    /// A frame.
    public init(
        payload: Bytes = [], codec: String = "", width: UInt32 = 0, height: UInt32 = 0, timestamp: UInt64 = 0,
        isRaw: Bool = false
    ) {
        (self.payload, self.codec, self.width, self.height) = (payload, codec, width, height)
        (self.timestamp, self.isRaw) = (timestamp, isRaw)
    }
}

/// Bytes and what they are: an envelope, where the MIME type is the reserved one, or opaque bytes.
public struct BinaryFrame: Hashable, Sendable {
    /// 1 byte to 10 MiB.
    public var payload: Bytes
    /// The MIME type, at most 255 characters.
    public var mimeType: String
    /// Media time of opaque bytes, or the envelope's timestamp, in milliseconds; 0 where there is none.
    public var timestamp: UInt64

    /// A frame.
    public init(payload: Bytes = [], mimeType: String = "", timestamp: UInt64 = 0) {
        (self.payload, self.mimeType, self.timestamp) = (payload, mimeType, timestamp)
    }
}

extension AudioFrame: WireMessage {
    init() { self.init(pcm: []) }

    var size: Int {
        ProtoSize.field(1, count: pcm.count) + ProtoSize.field(2, signed: sampleRate)
            + ProtoSize.field(3, signed: channels) + ProtoSize.field(4, codec) + ProtoSize.field(5, timestamp)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, pcm)
        output.append(field: 2, signed: sampleRate)
        output.append(field: 3, signed: channels)
        output.append(field: 4, codec)
        output.append(field: 5, timestamp)
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.delimited): pcm = bytes.slice(try reader.range())
            case (2, WireForm.varint): sampleRate = try reader.int32()
            case (3, WireForm.varint): channels = try reader.int32()
            case (4, WireForm.delimited): codec = try reader.text()
            case (5, WireForm.varint): timestamp = try reader.uint64()
            default: continue
            }
        }
    }
}

extension VideoFrame: WireMessage {
    init() { self.init(payload: []) }

    var size: Int {
        ProtoSize.field(1, count: payload.count) + ProtoSize.field(2, codec) + ProtoSize.field(3, UInt64(width))
            + ProtoSize.field(4, UInt64(height)) + ProtoSize.field(5, timestamp) + ProtoSize.field(6, isRaw ? 1 : 0)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, payload)
        output.append(field: 2, codec)
        output.append(field: 3, UInt64(width))
        output.append(field: 4, UInt64(height))
        output.append(field: 5, timestamp)
        output.append(field: 6, isRaw ? 1 : 0)
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.delimited): payload = bytes.slice(try reader.range())
            case (2, WireForm.delimited): codec = try reader.text()
            case (3, WireForm.varint): width = try reader.uint32()
            case (4, WireForm.varint): height = try reader.uint32()
            case (5, WireForm.varint): timestamp = try reader.uint64()
            case (6, WireForm.varint): isRaw = try reader.bool()
            default: continue
            }
        }
    }
}

extension BinaryFrame: WireMessage {
    init() { self.init(payload: []) }

    var size: Int {
        ProtoSize.field(1, count: payload.count) + ProtoSize.field(2, mimeType) + ProtoSize.field(3, timestamp)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, payload)
        output.append(field: 2, mimeType)
        output.append(field: 3, timestamp)
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.delimited): payload = bytes.slice(try reader.range())
            case (2, WireForm.delimited): mimeType = try reader.text()
            case (3, WireForm.varint): timestamp = try reader.uint64()
            default: continue
            }
        }
    }
}
