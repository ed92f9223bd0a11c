import ChatModel

/// A place in the history of addresses, as services here write cursors: 8 bytes epoch, 8 bytes sequence.
///
/// The epoch is random for each start of a service, so that a cursor from before is known as such.
package struct HistoryPosition: Hashable, Sendable {
    static let size = 16
    package let epoch: UInt64
    package let sequence: UInt64

    package init(epoch: UInt64, sequence: UInt64) {
        (self.epoch, self.sequence) = (epoch, sequence)
    }

    /// Nil for a cursor of another kind of service.
    init?(_ cursor: Cursor) {
        let bytes = cursor.bytes.span
        guard bytes.count == Self.size else { return nil }
        self.init(epoch: bytes.bigEndian(0..<8), sequence: bytes.bigEndian(8..<16))
    }

    var cursor: Cursor { Cursors(epoch: epoch, from: sequence, count: 1)[sequence] }
}

/// The cursors of sequences that follow one another, which share one buffer.
struct Cursors: Sendable {
    private let first: UInt64
    private let bytes: Bytes

    init(epoch: UInt64, from first: UInt64, count: Int) {
        self.first = first
        var array: [UInt8] = []
        array.reserveCapacity(count * HistoryPosition.size)
        for offset in 0..<count {
            array.append(big: epoch)
            array.append(big: first &+ UInt64(offset))
        }
        bytes = Bytes(array)
    }

    /// The cursor of one of the sequences.
    subscript(sequence: UInt64) -> Cursor {
        let start = Int(sequence - first) * HistoryPosition.size
        return Cursor(bytes.slice(start..<start + HistoryPosition.size))
    }
}
