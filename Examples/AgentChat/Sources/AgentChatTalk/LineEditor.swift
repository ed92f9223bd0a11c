/// A line as it is typed at a terminal that gives each key at once.
///
/// It takes bytes of UTF-8, with the keys that a line has always had: backspace, Control-U, return, and Control-D at the
/// start of a line for the end. Other control characters and the sequences of arrows do nothing.
public struct LineEditor: Sendable {
    /// What a byte comes to.
    public enum Input: Equatable, Sendable {
        /// Nothing that is seen.
        case nothing
        /// A character was added.
        case typed(Character)
        /// A line is finished.
        case line(String)
        /// So many columns are to be wiped.
        case erased(Int)
        /// Nothing more comes.
        case end
    }

    /// The most bytes of a line; what is typed beyond them is not taken.
    public static let maximumLine = 64 << 10

    private enum Mode { case text, escape, sequence }

    /// What is typed so far.
    public private(set) var line = ""
    private var mode = Mode.text
    /// The bytes of a character that is not whole.
    private var pending: [UInt8] = []

    /// An empty line.
    public init() {}

    /// Takes a byte of the terminal.
    public mutating func take(_ byte: UInt8) -> Input {
        switch mode {
        case .escape:
            mode = byte == 0x5B || byte == 0x4F ? .sequence : .text
            return .nothing
        case .sequence:
            if (0x40...0x7E).contains(byte) { mode = .text }
            return .nothing
        case .text: break
        }
        switch byte {
        case 0x0A, 0x0D:
            defer { clear() }
            return .line(line)
        case 0x04: return line.isEmpty ? .end : .nothing
        case 0x08, 0x7F: return erase()
        case 0x15:
            defer { clear() }
            return .erased(line.reduce(0) { $0 + Self.columns($1) })
        case 0x1B:
            mode = .escape
            return .nothing
        case 0x09, 0x20...: return add(byte)
        default: return .nothing
        }
    }

    /// Begins the line anew, perhaps with something in it.
    public mutating func clear(to text: String = "") { (line, pending) = (text, []) }

    private mutating func add(_ byte: UInt8) -> Input {
        guard line.utf8.count < Self.maximumLine else { return .nothing }
        // A byte that begins a character ends one that never became whole.
        if byte & 0xC0 != 0x80 { pending = [] }
        pending.append(byte)
        guard let text = String(validating: pending, as: UTF8.self) else {
            if pending.count >= 4 { pending = [] }
            return .nothing
        }
        pending = []
        line += text
        return text.first.map { .typed($0) } ?? .nothing
    }

    private mutating func erase() -> Input {
        pending = []
        guard let last = line.popLast() else { return .nothing }
        return .erased(Self.columns(last))
    }

    /// How many columns a terminal gives a character: two for those of East Asia and pictures.
    private static func columns(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first, scalar.value >= 0x1100 else { return 1 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
