/// Words that were mistyped.
public enum Spelling {
    /// The word that is nearest to what was typed, if it is near enough to be meant: a third of it may differ.
    public static func nearest(to typed: String, among words: [String]) -> String? {
        let near = words.map { ($0, distance(typed, $0)) }.filter { $0.1 <= max(1, $0.0.count / 3) }
        return near.min { $0.1 < $1.1 }?.0
    }

    /// How many characters have to be changed, added, removed, or exchanged with their neighbour.
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.prefix(64)), Array(right.prefix(64)))
        var (before, last, row) = ([Int](), [Int](), Array(0...right.count))
        for (i, own) in left.enumerated() {
            (before, last, row) = (last, row, [i + 1])
            for (j, other) in right.enumerated() {
                var best = min(last[j] + (own == other ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, own == right[j - 1], other == left[i - 1] { best = min(best, before[j - 1] + 1) }
                row.append(best)
            }
        }
        return row[right.count]
    }
}
