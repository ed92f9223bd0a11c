import ChatCodec
import ChatModel

/// Whether sequences of each stream and partition come without holes (SA-52).
///
/// The first number that is seen begins the count, unless it is known with which number streams begin. Streams are bounded: of too many, the one that was quiet longest is
/// forgotten, and begins anew with its next number.
public struct SequenceOrder: Hashable, Sendable {
    /// How many streams and partitions are counted unless somebody says otherwise.
    public static let limit = 4_096

    /// What a number is.
    public enum Place: Hashable, Sendable {
        /// The next one; it is counted.
        case next
        /// One that was there already, or one below those that were.
        case duplicate
        /// Numbers are missing before it; it is not counted.
        case gap(missing: UInt64)
        /// A packet that is not counted.
        case unsequenced
    }

    private struct Lane: Hashable {
        let stream, partition: ChatCodec.ExactText
    }

    private struct Count: Hashable {
        var last: UInt64
        var used: UInt64
    }

    private let limit: Int
    /// The number with which streams begin, if that is known.
    private let first: UInt64?
    private var counts: [Lane: Count] = [:]
    private var clock: UInt64 = 0

    /// No streams yet.
    public init(limit: Int = SequenceOrder.limit, first: UInt64? = nil) {
        (self.limit, self.first) = (max(1, limit), first)
    }

    /// The last number of each stream and partition, as places.
    var places: [StreamEnvelope] {
        counts.map { lane, count in
            StreamEnvelope(stream: lane.stream.text, sequence: count.last, partition: lane.partition.text)
        }
    }

    /// What a packet's number is, without counting it.
    public func place(of stream: StreamEnvelope?) -> Place {
        guard let stream, stream.isSequenced else { return .unsequenced }
        guard let last = last(in: stream) else { return .next }
        guard stream.sequence > last else { return .duplicate }
        return stream.sequence - last == 1 ? .next : .gap(missing: stream.sequence - last - 1)
    }

    /// The last number of a packet's stream and partition; nil where none was seen and none is expected.
    func last(in stream: StreamEnvelope) -> UInt64? {
        counts[Self.lane(stream)]?.last ?? first.map { max($0, 1) - 1 }
    }

    /// What a packet's number is; the next one is counted.
    public mutating func take(_ stream: StreamEnvelope?) -> Place {
        let place = place(of: stream)
        guard place == .next, let stream else { return place }
        count(stream)
        return place
    }

    /// Counts a packet although numbers before it are missing: they were given up.
    public mutating func skip(to stream: StreamEnvelope) {
        guard stream.isSequenced, place(of: stream) != .duplicate else { return }
        count(stream)
    }

    /// Counts from a packet on once more, which is to come again; nothing where the count is not that far.
    mutating func rewind(before stream: StreamEnvelope) {
        guard stream.isSequenced, let last = counts[Self.lane(stream)]?.last, last >= stream.sequence else { return }
        counts[Self.lane(stream)]?.last = stream.sequence - 1
    }

    /// Sets the last number of a stream and partition.
    mutating func set(_ place: StreamEnvelope) {
        count(place)
    }

    private mutating func count(_ stream: StreamEnvelope) {
        let lane = Self.lane(stream)
        if counts[lane] == nil, counts.count >= limit {
            if let quiet = counts.min(by: { $0.value.used < $1.value.used }) { counts[quiet.key] = nil }
        }
        clock &+= 1
        counts[lane] = Count(last: stream.sequence, used: clock)
    }

    private static func lane(_ stream: StreamEnvelope) -> Lane {
        Lane(stream: ChatCodec.ExactText(stream.stream), partition: ChatCodec.ExactText(stream.partition))
    }
}
