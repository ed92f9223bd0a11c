extension String {
    /// The text as a terminal may show it, whoever wrote it: what would move the cursor, change colours, turn the
    /// direction of writing, or is not seen at all, is replaced, and further lines are set in.
    ///
    /// Joiners and selectors stay where they stand between pictures, which they make one.
    public var forTerminal: String {
        var text = ""
        let scalars = Array(unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "\n": text += "\n    "
            case "\t": text += "    "
            case "\u{200D}", "\u{FE0E}", "\u{FE0F}":
                let isAmongPictures = index > 0 && scalars[index - 1].isPicture
                text.unicodeScalars.append(isAmongPictures ? scalar : "\u{FFFD}")
            default: text.unicodeScalars.append(scalar.isSafe ? scalar : "\u{FFFD}")
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    /// Whether something is seen of it, and it changes nothing of what is around it.
    fileprivate var isSafe: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: !properties.isDefaultIgnorableCodePoint
        }
    }

    /// Whether it is a picture, or belongs to one.
    fileprivate var isPicture: Bool {
        value > 0xFF && (properties.isEmoji || properties.isEmojiModifier) || value == 0xFE0F
    }
}
