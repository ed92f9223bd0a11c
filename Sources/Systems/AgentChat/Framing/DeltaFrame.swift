/// A delta of text in the very spelling of this package's encoder, found without building a tree of values.
///
/// Deltas of text are what there is most of. A frame in any other spelling, with an escape in it or with anything
/// wrong is none of these, and is left to the parser; so whatever is found here the parser would have read alike.
struct DeltaFrame {
    private let message: Range<Int>
    private let isReasoning: Bool
    private let text: Range<Int>
    private let state: TextPart.State?
    private let job: Range<Int>?
    private let sequence: UInt64?

    /// Finds a delta; nil for any other frame.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count <= AgentJSON.maximumFrame else { return nil }
        var reader = Reader(bytes)
        guard reader.skip(#"{"type":"stream","message_id":""#), let message = reader.id(),
            reader.skip(#"","delta":{"type":""#)
        else { return nil }
        isReasoning = reader.skip("reasoning")
        guard isReasoning || reader.skip("text"), reader.skip(#"","text":""#), let text = reader.text(),
            reader.skip("\"")
        else { return nil }
        (self.message, self.text) = (message, text)
        if reader.skip(#","state":"streaming""#) {
            state = .streaming
        } else {
            state = reader.skip(#","state":"done""#) ? .done : nil
        }
        guard reader.skip("}") else { return nil }
        if reader.skip(#","job_id":""#) {
            guard let id = reader.id(), reader.skip("\"") else { return nil }
            job = id
        } else {
            job = nil
        }
        if reader.skip(#","seq":"#) {
            guard let number = reader.number() else { return nil }
            sequence = number
        } else {
            sequence = nil
        }
        guard reader.skip("}"), reader.isAtEnd else { return nil }
    }

    /// The delta; the bytes are those in which it was found.
    func stream(in bytes: Span<UInt8>) -> ServerMessage.Stream? {
        guard let message = Self.id(message, in: bytes), let text = Self.string(text, in: bytes) else { return nil }
        let part = TextPart(text, state: state)
        var stream = ServerMessage.Stream(message: message, delta: isReasoning ? .reasoning(part) : .text(part))
        stream.sequence = sequence
        guard let job else { return stream }
        guard let id = Self.id(job, in: bytes) else { return nil }
        stream.job = id
        return stream
    }

    private static func string(_ range: Range<Int>, in bytes: Span<UInt8>) -> String? {
        do { return String(copying: try UTF8Span(validating: bytes.extracting(range))) } catch { return nil }
    }

    private static func id(_ range: Range<Int>, in bytes: Span<UInt8>) -> Identifier? {
        string(range, in: bytes).map(Identifier.init(visible:))
    }

    /// Goes through the bytes once.
    private struct Reader: ~Escapable {
        private let bytes: Span<UInt8>
        private var offset = 0

        var isAtEnd: Bool { offset == bytes.count }

        @_lifetime(copy bytes) init(_ bytes: Span<UInt8>) { self.bytes = bytes }

        /// Goes behind a word, if it comes next.
        mutating func skip(_ word: StaticString) -> Bool {
            let count = word.utf8CodeUnitCount
            guard bytes.count - offset >= count else { return false }
            let (own, theirs) = unsafe (bytes.bytes, UnsafeRawPointer(word.utf8Start))
            var index = 0
            while index + 8 <= count {
                let wanted = unsafe theirs.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                guard unsafe own.unsafeLoadUnaligned(fromByteOffset: offset + index, as: UInt64.self) == wanted else {
                    return false
                }
                index += 8
            }
            while index < count {
                guard unsafe bytes[offset + index] == word.utf8Start[index] else { return false }
                index += 1
            }
            offset += count
            return true
        }

        /// Goes behind eight bytes at a time as long as all of them stand for themselves.
        private mutating func skipPlainWords() {
            let own = unsafe bytes.bytes
            while bytes.count - offset >= 8 {
                let word = unsafe own.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
                guard PlainText.isPlain(word) else { return }
                offset += 8
            }
        }

        /// An id of visible ASCII, up to the quote behind it.
        mutating func id() -> Range<Int>? {
            let start = offset
            skipPlainWords()
            while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
                let byte = bytes[offset]
                guard byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") else { return nil }
                offset += 1
            }
            let count = offset - start
            return count > 0 && count <= Identifier.maximumScalars ? start..<offset : nil
        }

        /// A text without escapes, up to the quote behind it.
        mutating func text() -> Range<Int>? {
            let start = offset
            skipPlainWords()
            var isASCII = true
            while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
                guard bytes[offset] >= 0x20, bytes[offset] != UInt8(ascii: "\\") else { return nil }
                isASCII = isASCII && bytes[offset] < 0x80
                offset += 1
            }
            let range = start..<offset
            return isASCII || Self.isUTF8(bytes.extracting(range)) ? range : nil
        }

        private static func isUTF8(_ bytes: Span<UInt8>) -> Bool {
            do {
                _ = try UTF8Span(validating: bytes)
                return true
            } catch { return false }
        }

        /// A whole number of 19 digits at most, which has no other spelling.
        mutating func number() -> UInt64? {
            let start = offset
            var number: UInt64 = 0
            while offset < bytes.count, offset - start < 19, (0x30...0x39).contains(bytes[offset]) {
                number = number * 10 + UInt64(bytes[offset] - 0x30)
                offset += 1
            }
            guard offset > start, bytes[start] != 0x30 || offset == start + 1 else { return nil }
            return number
        }
    }
}
