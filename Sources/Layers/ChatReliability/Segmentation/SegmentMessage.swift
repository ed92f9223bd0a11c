import ChatCodec
public import ChatModel

/// One segment of a payload on the wire: `SegmentMessageProto` of MESSAGE-SEGMENTATION.
public struct SegmentMessage: Hashable, Sendable {
    /// Bytes of a Keccak-256.
    public static let hashSize = 32
    /// The most segments of one payload, data and parity together (SEG-07: fewer than 256).
    public static let maximumTotal = 255
    /// The most bytes that the fields around a segment's payload take.
    public static let overhead = 64

    /// Where a segment belongs among those of its payload.
    public enum Place: Hashable, Sendable {
        /// A piece of the payload itself; counts from 0.
        case data(Int)
        /// A parity shard; counts from 0.
        case parity(Int)
    }

    /// Field 1, `entire_message_hash`: Keccak-256 of the whole payload.
    public var hash: Bytes
    /// Fields 2, `data_segment_index`, or 5, `parity_segment_index`, and 7, `is_parity`.
    public var place: Place
    /// Field 3, `data_segment_count`.
    public var dataCount: Int
    /// Field 6, `parity_segment_count`.
    public var parityCount: Int
    /// Field 4, `payload`.
    public var payload: Bytes

    /// Makes a segment.
    public init(hash: Bytes, place: Place, dataCount: Int, parityCount: Int = 0, payload: Bytes) {
        (self.hash, self.place, self.payload) = (hash, place, payload)
        (self.dataCount, self.parityCount) = (dataCount, parityCount)
    }

    /// Decodes and checks a segment: nothing but what SEG-07 allows passes.
    ///
    /// - Throws: `unsupported` for the later layout of nim-segmentation, otherwise `invalid`.
    public init(decoding bytes: Bytes) throws(Refusal) {
        let fields: Fields
        do {
            fields = try Fields(bytes)
        } catch .badWireType(0, field: 4, _), .badWireType(2, field: 7, _) {
            // There, field 4 is a count and field 7 the payload (Specs/segmentation.md, SEG-R6).
            throw Refusal(.unsupported, ReliabilityCause.deployedSegmentLayout)
        } catch {
            throw Refusal(error)
        }
        if let contradiction = fields.contradiction {
            throw Refusal(.invalid, ReliabilityCause.contradictorySegment(contradiction))
        }
        self.init(
            hash: fields.hash, place: fields.isParity ? .parity(fields.parityIndex) : .data(fields.dataIndex),
            dataCount: fields.dataCount, parityCount: fields.parityCount, payload: fields.payload)
    }

    /// The fields as they were on the wire.
    private struct Fields {
        var (hash, payload) = (Bytes(), Bytes())
        var (dataIndex, dataCount, parityIndex, parityCount) = (0, 0, 0, 0)
        var isParity = false

        init(_ bytes: Bytes) throws(WireError) {
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: hash = bytes.slice(try reader.range())
                case 2: dataIndex = Int(try reader.uint32())
                case 3: dataCount = Int(try reader.uint32())
                case 4: payload = bytes.slice(try reader.range())
                case 5: parityIndex = Int(try reader.uint32())
                case 6: parityCount = Int(try reader.uint32())
                case 7: isParity = try reader.bool()
                default: continue
                }
            }
        }

        /// The violation of SEG-04, SEG-05 or SEG-07, if there is one.
        var contradiction: String? {
            if hash.count != SegmentMessage.hashSize { return "a hash of \(hash.count) bytes" }
            if dataCount < 1 { return "no data segments" }
            if dataCount + parityCount > SegmentMessage.maximumTotal {
                return "\(dataCount) data and \(parityCount) parity segments"
            }
            if isParity {
                if parityIndex >= parityCount { return "parity segment \(parityIndex) of \(parityCount)" }
                return dataIndex == 0 ? nil : "a parity segment with a data index"
            }
            if dataIndex >= dataCount { return "data segment \(dataIndex) of \(dataCount)" }
            return parityIndex == 0 ? nil : "a data segment with a parity index"
        }
    }

    private var dataIndex: UInt64 {
        if case .data(let index) = place { UInt64(index) } else { 0 }
    }

    private var parityIndex: UInt64? {
        if case .parity(let index) = place { UInt64(index) } else { nil }
    }

    /// The size of the encoding in bytes.
    var size: Int { headerSize(payload: payload.count) + payload.count + trailerSize }

    /// The bytes in front of a payload of a size.
    func headerSize(payload count: Int) -> Int {
        let payloadField = count == 0 ? 0 : ProtoSize.present(4, count: count) - count
        return ProtoSize.field(1, count: hash.count) + ProtoSize.field(2, dataIndex)
            + ProtoSize.field(3, UInt64(dataCount)) + payloadField
    }

    /// The bytes behind it; none without parity.
    var trailerSize: Int {
        ProtoSize.field(5, parityIndex ?? 0) + ProtoSize.field(6, UInt64(parityCount))
            + ProtoSize.field(7, parityIndex == nil ? 0 : 1)
    }

    /// The encoding, behind head room for the layers below.
    public func encoded(headRoom: Int = 0) -> Bytes {
        Bytes(headRoom: headRoom, count: size) { write(to: &$0) }
    }

    /// Appends the encoding: fields in the order of their numbers, defaults omitted.
    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        writeHeader(payload: payload.count, to: &output)
        output.append(bytes: payload.span)
        output.append(field: 5, parityIndex ?? 0)
        output.append(field: 6, UInt64(parityCount))
        output.append(field: 7, parityIndex == nil ? 0 : 1)
    }

    @_lifetime(output: copy output)
    func writeHeader(payload count: Int, to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, hash)
        output.append(field: 2, dataIndex)
        output.append(field: 3, UInt64(dataCount))
        if count > 0 { output.append(present: 4, count: count) }
    }
}
