public import ChatModel

/// Parity for shards of equal size, byte for byte that of Leopard-RS in GF(2⁸).
///
/// Any `dataCount` of all shards give the data back. Wrong shards are not noticed: who uses it has a
/// hash of the whole. Costs and mathematics: `Specs/parity.md`.
public struct ParityCode: Hashable, Sendable {
    /// Shards have a positive multiple of this many bytes, because the deployed code wants it.
    public static let shardUnit = 64
    /// The most shards of a code, parity counted as the next power of two.
    public static let maximumPoints = 256

    /// How many shards hold data.
    public let dataCount: Int
    /// How many shards of parity there are: at most as many as there are of data.
    public let parityCount: Int
    /// The parity count as the next power of two: the points of the code that are not data.
    private let points: Int

    /// Makes a code; refuses counts without one, and those for which the deployed code uses a wider field.
    public init(dataCount: Int, parityCount: Int) throws(Refusal) {
        guard parityCount >= 1, parityCount <= dataCount, dataCount <= Self.maximumPoints else {
            throw Refusal(.invalid, ReliabilityCause.shardCounts(data: dataCount, parity: parityCount))
        }
        var points = 1
        while points < parityCount { points *= 2 }
        guard points + dataCount <= Self.maximumPoints else {
            throw Refusal(.unsupported, ReliabilityCause.widerField(data: dataCount, parity: parityCount))
        }
        (self.dataCount, self.parityCount, self.points) = (dataCount, parityCount, points)
    }

    /// Strips of this many bytes are worked on, so that all rows of one fit into the nearest cache.
    private static let stripSize = 512

    /// The parity shards of data shards; one that is shorter than a shard counts as filled up with zeros.
    ///
    /// - Parameters:
    ///   - data: the data shards.
    ///   - shardSize: bytes of a shard, a positive multiple of 64.
    public func encode(_ data: [Bytes], shardSize: Int) throws(Refusal) -> [Bytes] {
        let data = data.map(Optional.some)
        try check(data, count: dataCount, shardSize: shardSize)
        var parity = [UInt8](repeating: 0, count: parityCount * shardSize)
        for offset in stride(from: 0, to: shardSize, by: Self.stripSize) {
            let size = min(Self.stripSize, shardSize - offset)
            let rows = parityRows(data, at: offset, size)
            for row in 0..<parityCount {
                let start = row * shardSize + offset
                parity.replaceSubrange(start..<start + size, with: rows[row])
            }
        }
        let whole = Bytes(parity)
        return (0..<parityCount).map { whole.slice($0 * shardSize..<($0 + 1) * shardSize) }
    }

    /// The data shards that are missing, by index, from the others and from parity; missing ones are nil.
    ///
    /// A data shard that is shorter than a shard counts as filled up with zeros; what is recovered has full size.
    public func recover(data: [Bytes?], parity: [Bytes?], shardSize: Int) throws(Refusal) -> [(
        index: Int, shard: Bytes
    )] {
        try check(data, count: dataCount, shardSize: shardSize)
        try check(parity, count: parityCount, shardSize: shardSize)
        let lost = data.indices.filter { data[$0] == nil }
        let used = parity.indices.filter { parity[$0] != nil }.prefix(lost.count)
        guard used.count == lost.count else {
            throw Refusal(.unable, ReliabilityCause.tooManyLost(lost.count, parity: used.count))
        }
        guard !lost.isEmpty else { return [] }

        let inverse = inverse(lost: lost, parity: Array(used))
        var shards = [UInt8](repeating: 0, count: lost.count * shardSize)
        for offset in stride(from: 0, to: shardSize, by: Self.stripSize) {
            let size = min(Self.stripSize, shardSize - offset)
            // The contribution of the present data to parity, and then that of the lost data.
            var rows = parityRows(data, at: offset, size)
            for index in used {
                rows.load(parity[index], from: offset, into: points)
                rows.add(points, to: index, count: 1)
            }
            for (row, factors) in inverse.enumerated() {
                rows.load(nil, from: 0, into: points)
                for (index, factor) in zip(used, factors) { rows.add(index, times: factor, to: points) }
                let start = row * shardSize + offset
                shards.replaceSubrange(start..<start + size, with: rows[points])
            }
        }
        let whole = Bytes(shards)
        return lost.enumerated().map { ($1, whole.slice($0 * shardSize..<($0 + 1) * shardSize)) }
    }

    /// A strip of all parity shards, in the first rows.
    private func parityRows(_ data: [Bytes?], at offset: Int, _ size: Int) -> ShardRows {
        var rows = ShardRows(count: 2 * points, rowSize: size)
        for start in stride(from: 0, to: dataCount, by: points) {
            let first = start == 0 ? 0 : points
            for row in 0..<points {
                rows.load(start + row < dataCount ? data[start + row] : nil, from: offset, into: first + row)
            }
            rows.interpolate(first, count: points, at: points + start)
            if first > 0 { rows.add(first, to: 0, count: points) }
        }
        rows.evaluate(0, count: points)
        return rows
    }

    /// The inverse of the part of the generator matrix that lost data and used parity share.
    ///
    /// That part is a Cauchy matrix 1 / (y + x) with scaled columns, whose inverse has a closed form.
    private func inverse(lost: [Int], parity: [Int]) -> [[UInt8]] {
        let shift = points.trailingZeroBitCount
        let (x, y) = (parity.map { UInt8($0) }, lost.map { UInt8(points + $0) })
        func product(_ labels: some Sequence<UInt8>) -> UInt8 { labels.reduce(1, LabelField.multiply) }
        let columns = x.map { point in
            LabelField.divide(product(y.map { $0 ^ point }), by: product(x.filter { $0 != point }.map { $0 ^ point }))
        }
        return y.map { point in
            let row = LabelField.divide(
                product(x.map { $0 ^ point }), by: product(y.filter { $0 != point }.map { $0 ^ point }))
            let scaled = LabelField.divide(row, by: point >> UInt8(shift))
            return zip(x, columns).map { other, column in
                LabelField.divide(LabelField.multiply(scaled, column), by: point ^ other)
            }
        }
    }

    private func check(_ shards: [Bytes?], count: Int, shardSize: Int) throws(Refusal) {
        guard shardSize > 0, shardSize % Self.shardUnit == 0 else {
            throw Refusal(.invalid, ReliabilityCause.shardSize(shardSize))
        }
        guard shards.count == count else {
            throw Refusal(.invalid, ReliabilityCause.badShards("\(shards.count) instead of \(count)"))
        }
        for shard in shards {
            guard let shard, shard.count > shardSize else { continue }
            throw Refusal(.invalid, ReliabilityCause.badShards("\(shard.count) bytes in a shard of \(shardSize)"))
        }
    }
}
