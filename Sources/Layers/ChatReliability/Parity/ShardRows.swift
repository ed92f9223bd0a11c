import ChatModel

/// Rows of bytes under each other, and the arithmetic of the parity code on whole rows.
///
/// A row is a strip of a shard, so short that all rows stay in the processor's nearest memory.
struct ShardRows {
    private typealias Lane = LabelField.Lane
    private static let laneSize = 32
    /// Bytes of a row, a multiple of 32.
    private let rowSize: Int
    private var bytes: [UInt8]

    /// A number of rows of zeros.
    init(count: Int, rowSize: Int) {
        self.rowSize = rowSize
        bytes = [UInt8](repeating: 0, count: count * rowSize)
    }

    /// The bytes of a row.
    subscript(row: Int) -> ArraySlice<UInt8> { bytes[row * rowSize..<(row + 1) * rowSize] }

    /// Puts the bytes of a shard from an offset on into a row; behind its end there are zeros.
    mutating func load(_ shard: Bytes?, from offset: Int, into row: Int) {
        let count = max(0, min(rowSize, (shard?.count ?? 0) - offset))
        let (start, end) = (row * rowSize, (row + 1) * rowSize)
        unsafe bytes.withUnsafeMutableBytes { memory in
            if count > 0, let source = shard?.span.extracting(offset..<offset + count) {
                let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + count])
                unsafe source.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
            }
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start + count..<end])
            _ = unsafe rest.initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    /// row ^= other, for rows one after the other.
    mutating func add(_ others: Int, to rows: Int, count: Int) {
        lanes(rows, others, count) { $0 ^= $1 }
    }

    /// row ^= factor · other
    mutating func add(_ other: Int, times label: UInt8, to row: Int) {
        let factor = LabelField.factors[Int(label)]
        lanes(row, other, 1) { $0 ^= LabelField.multiply($1, factor) }
    }

    /// From values at the points `point`, `point + 1` … to coefficients, in place.
    ///
    /// - Parameters:
    ///   - first: the first of the rows.
    ///   - count: how many, a power of two.
    ///   - point: a multiple of it.
    mutating func interpolate(_ first: Int, count: Int, at point: Int) {
        var half = 1
        while half < count {
            for start in stride(from: 0, to: count, by: 2 * half) {
                let factor = factor(point, start, half)
                lanes(first + start, first + start + half, half) { low, high in
                    high ^= low
                    if let factor { low ^= LabelField.multiply(high, factor) }
                }
            }
            half *= 2
        }
    }

    /// From coefficients to values at the points 0, 1 …, in place.
    mutating func evaluate(_ first: Int, count: Int) {
        var half = count / 2
        while half > 0 {
            for start in stride(from: 0, to: count, by: 2 * half) {
                let factor = factor(0, start, half)
                lanes(first + start, first + start + half, half) { low, high in
                    if let factor { low ^= LabelField.multiply(high, factor) }
                    high ^= low
                }
            }
            half /= 2
        }
    }

    /// The label `(point + start) >> t`, where `half` is 2ᵗ; nil where it is 0.
    private func factor(_ point: Int, _ start: Int, _ half: Int) -> LabelField.Factor? {
        let label = (point + start) / half
        return label == 0 ? nil : LabelField.factors[label]
    }

    /// Changes rows and as many others, lane by lane.
    @inline(__always)
    private mutating func lanes(_ rows: Int, _ others: Int, _ count: Int, _ change: (inout Lane, inout Lane) -> Void) {
        let (size, from, to) = (count * rowSize, rows * rowSize, others * rowSize)
        unsafe bytes.withUnsafeMutableBytes { memory in
            for offset in stride(from: 0, to: size, by: Self.laneSize) {
                var low = unsafe memory.loadUnaligned(fromByteOffset: from + offset, as: Lane.self)
                var high = unsafe memory.loadUnaligned(fromByteOffset: to + offset, as: Lane.self)
                change(&low, &high)
                unsafe memory.storeBytes(of: low, toByteOffset: from + offset, as: Lane.self)
                unsafe memory.storeBytes(of: high, toByteOffset: to + offset, as: Lane.self)
            }
        }
    }
}
