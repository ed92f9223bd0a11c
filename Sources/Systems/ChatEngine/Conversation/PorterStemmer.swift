/// The stem of an English word (M. F. Porter, An algorithm for suffix stripping, 1980), as search engines have it.
///
/// A word with other letters than `a` to `z`, or of less than three, is its own stem.
enum PorterStemmer {
    static func stem(_ word: String) -> String {
        let bytes = Array(word.utf8)
        guard bytes.count > 2, bytes.count <= 64,
            bytes.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        else { return word }
        var stem = Stem(bytes: bytes)
        stem.plurals()
        stem.past()
        stem.yToI()
        stem.replaceFirst(of: Self.second, ifMeasure: 1)
        stem.replaceFirst(of: Self.third, ifMeasure: 1)
        stem.dropFourth()
        stem.dropLast()
        return String(decoding: stem.bytes, as: UTF8.self)
    }

    private static let second = [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able"),
        ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
        ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
        ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"),
    ]
    private static let third = [
        ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
    ]
    fileprivate static let fourth = [
        "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize",
        "ion", "al", "er", "ic", "ou",
    ]
}

private struct Stem {
    var bytes: [UInt8]

    private func ends(_ suffix: String) -> Bool {
        bytes.count >= suffix.utf8.count && bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    private mutating func replace(_ suffix: String, by new: String) {
        bytes.removeLast(suffix.utf8.count)
        bytes += Array(new.utf8)
    }

    private func isVowel(_ index: Int) -> Bool {
        switch bytes[index] {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): true
        case UInt8(ascii: "y"): index > 0 && !isVowel(index - 1)
        default: false
        }
    }

    /// How often a run of vowels is followed by a run of consonants before the last bytes.
    private func measure(without count: Int) -> Int {
        var (measure, wasVowel) = (0, false)
        for index in 0..<max(0, bytes.count - count) {
            let isVowel = isVowel(index)
            if wasVowel, !isVowel { measure += 1 }
            wasVowel = isVowel
        }
        return measure
    }

    private func hasVowel(without count: Int) -> Bool {
        (0..<max(0, bytes.count - count)).contains { isVowel($0) }
    }

    private var endsInDouble: Bool {
        bytes.count > 1 && bytes[bytes.count - 1] == bytes[bytes.count - 2] && !isVowel(bytes.count - 1)
    }

    /// Consonant, vowel, consonant, the last one none of w, x and y.
    private func endsShort(without count: Int) -> Bool {
        let last = bytes.count - count - 1
        guard last >= 2, !isVowel(last), isVowel(last - 1), !isVowel(last - 2) else { return false }
        return ![UInt8(ascii: "w"), UInt8(ascii: "x"), UInt8(ascii: "y")].contains(bytes[last])
    }

    /// Step 1a.
    mutating func plurals() {
        if ends("sses") { return replace("sses", by: "ss") }
        if ends("ies") { return replace("ies", by: "i") }
        if ends("s"), !ends("ss") { bytes.removeLast() }
    }

    /// Step 1b.
    mutating func past() {
        if ends("eed") {
            if measure(without: 3) > 0 { bytes.removeLast() }
            return
        }
        for suffix in ["ed", "ing"] where ends(suffix) {
            guard hasVowel(without: suffix.utf8.count) else { return }
            bytes.removeLast(suffix.utf8.count)
            if ends("at") || ends("bl") || ends("iz") {
                bytes.append(UInt8(ascii: "e"))
            } else if endsInDouble, !ends("l"), !ends("s"), !ends("z") {
                bytes.removeLast()
            } else if measure(without: 0) == 1, endsShort(without: 0) {
                bytes.append(UInt8(ascii: "e"))
            }
            return
        }
    }

    /// Step 1c.
    mutating func yToI() {
        if ends("y"), hasVowel(without: 1) { replace("y", by: "i") }
    }

    /// Steps 2 and 3: the first suffix that is there, if what is left is long enough.
    mutating func replaceFirst(of suffixes: [(String, String)], ifMeasure least: Int) {
        guard let (suffix, new) = suffixes.first(where: { ends($0.0) }) else { return }
        if measure(without: suffix.utf8.count) >= least { replace(suffix, by: new) }
    }

    /// Step 4.
    mutating func dropFourth() {
        guard let suffix = PorterStemmer.fourth.first(where: { ends($0) }) else { return }
        let count = suffix.utf8.count
        guard measure(without: count) > 1 else { return }
        if suffix == "ion" {
            guard bytes.count > 3, [UInt8(ascii: "s"), UInt8(ascii: "t")].contains(bytes[bytes.count - 4]) else {
                return
            }
        }
        bytes.removeLast(count)
    }

    /// Step 5.
    mutating func dropLast() {
        if ends("e") {
            let measure = measure(without: 1)
            if measure > 1 || measure == 1 && !endsShort(without: 1) { bytes.removeLast() }
        }
        if ends("ll"), measure(without: 1) > 1 { bytes.removeLast() }
    }
}
