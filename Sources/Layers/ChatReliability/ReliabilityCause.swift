public import ChatModel

/// Why segmentation, parity or SDS refused.
public enum ReliabilityCause: RefusalCause, Hashable {
    /// Fields of a segment that do not belong together, and which.
    case contradictorySegment(String)
    /// A segment that says something else than an earlier one of the same payload, and what.
    case conflictingSegment(String)
    /// A segment in the later layout of nim-segmentation, which numbers its fields otherwise.
    case deployedSegmentLayout
    /// Segments that make a payload whose Keccak-256 is not the one they name.
    case hashMismatch(segments: Int)
    /// More segments than one payload may have.
    case tooManySegments(Int, limit: Int)
    /// More than is kept of unfinished payloads.
    case noRoom(String, needed: Int, limit: Int)
    /// Counts of shards that the code does not have.
    case shardCounts(data: Int, parity: Int)
    /// Counts of shards for which the deployed code would leave GF(2⁸) without saying so.
    case widerField(data: Int, parity: Int)
    /// A shard size that is no positive multiple of 64 bytes.
    case shardSize(Int)
    /// Shards that are missing, too long, or of different lengths.
    case badShards(String)
    /// More shards lost than there is parity.
    case tooManyLost(Int, parity: Int)
    /// A message without content or without an id, to be sent.
    case emptyMessage
    /// An id that another message has.
    case identifierInUse(Identifier)
    /// A message of another channel.
    case otherChannel(Identifier)
    /// A message whose fields do not belong together, and which.
    case contradictoryMessage(String)
    /// A message that names another sender than the stage below authenticated.
    case forgedSender(Identifier, by: Identifier)
    /// A message from before all that the log still holds; it may be a repetition.
    case tooOld(lamport: UInt64)
    /// A well-formed frame of a kind that is not known.
    case unknownFrame

    /// A stable word; those of the test vectors where they have one.
    public var code: String {
        switch self {
        case .contradictorySegment, .conflictingSegment, .badShards, .contradictoryMessage: "malformed"
        case .emptyMessage, .identifierInUse: "invalid_state"
        case .otherChannel: "foreign"
        case .forgedSender: "authentication_failed"
        case .tooOld: "replay"
        case .deployedSegmentLayout, .widerField, .unknownFrame: "unsupported"
        case .hashMismatch: "authentication_failed"
        case .tooManySegments, .noRoom: "too_large"
        case .shardCounts: "invalid_counts"
        case .shardSize: "invalid_size"
        case .tooManyLost: "need_more_data"
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .contradictorySegment(let what): "segment contradicts itself: \(what)"
        case .conflictingSegment(let what): "segment contradicts an earlier one of its payload: \(what)"
        case .deployedSegmentLayout: "segment has the later layout of nim-segmentation, which is not supported"
        case .hashMismatch(let count): "payload of \(count) segments does not have the Keccak-256 they name"
        case .tooManySegments(let count, let limit): "payload needs \(count) segments; at most \(limit) allowed"
        case .noRoom(let what, let needed, let limit): "no room for \(what): \(needed) needed, \(limit) allowed"
        case .shardCounts(let data, let parity): "no code with \(data) data and \(parity) parity shards"
        case .widerField(let data, let parity):
            "\(data) data and \(parity) parity shards need GF(2^16) in the deployed code; only GF(2^8) is supported"
        case .shardSize(let size): "shard has \(size) bytes, not a positive multiple of \(ParityCode.shardUnit)"
        case .badShards(let what): "shards do not fit: \(what)"
        case .tooManyLost(let lost, let parity): "\(lost) shards lost and \(parity) parity shards left"
        case .emptyMessage: "a message needs content and an id"
        case .identifierInUse(let id): "another message has the id \(id)"
        case .otherChannel(let channel): "message of channel \(channel)"
        case .contradictoryMessage(let what): "message contradicts itself: \(what)"
        case .forgedSender(let name, let sender): "message names \(name) as its sender, but \(sender) sent it"
        case .tooOld(let lamport): "message with clock \(lamport) is older than what the log remembers"
        case .unknownFrame: "a frame of a kind that is not known; the other side may be newer"
        }
    }
}
