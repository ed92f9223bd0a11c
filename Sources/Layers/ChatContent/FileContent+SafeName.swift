extension FileContent {
    /// The most bytes of ``safeName``: as many as file systems have, less what makes a name unique.
    public static let maximumSafeName = 200
    /// The longest ending of a name that is kept when the name is cut.
    private static let maximumEnding = 16

    /// The name as one component of a path, safe to make a file of: whatever a stranger chose (CFR-4).
    ///
    /// The part behind the last separator; without control characters and those that turn the direction of writing or
    /// cannot be seen; with `_` for what shells and other systems give a meaning; no dot or hyphen in front; at most
    /// ``maximumSafeName`` bytes; never empty.
    public var safeName: String {
        // Scalars and not characters: a dot with an accent is a dot to the file system.
        var scalars: [Unicode.Scalar] = []
        for scalar in name.unicodeScalars {
            switch scalar {
            case "/", "\\": scalars = []
            case ":", "*", "?", "\"", "<", ">", "|": scalars.append("_")
            default: if !Self.isInvisible(scalar) { scalars.append(scalar) }
            }
        }
        let isMargin = { (scalar: Unicode.Scalar) in scalar == "." || scalar.properties.isWhitespace }
        scalars = Array(scalars.drop(while: isMargin))
        while let last = scalars.last, isMargin(last) { scalars.removeLast() }
        if scalars.first == "-" { scalars[0] = "_" }
        scalars = Self.cut(scalars)
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        return text.isEmpty ? "file" : text
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
        default: false
        }
    }

    /// Cuts a long name in front of its ending, if it has a short one.
    private static func cut(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let size = { (part: ArraySlice<Unicode.Scalar>) in part.reduce(0) { $0 + UTF8.width($1) } }
        guard size(scalars[...]) > maximumSafeName else { return scalars }
        var ending = scalars[(scalars.lastIndex(of: ".") ?? scalars.endIndex)...]
        if size(ending) > maximumEnding { ending = [] }
        var room = maximumSafeName - size(ending)
        let start = scalars.prefix { scalar in
            room -= UTF8.width(scalar)
            return room >= 0
        }
        return Array(start + ending)
    }
}
