import ChatModel

/// Numbers and bytes one after the other, for toys.
struct ToyWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ number: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func write(_ field: Bytes) {
        write(UInt32(field.count))
        bytes += field.array
    }
}

struct ToyReader {
    private let bytes: Bytes
    private var offset = 0

    init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    var rest: Bytes { bytes.slice(offset..<bytes.count) }

    mutating func number() throws(Refusal) -> UInt32 {
        guard bytes.count - offset >= 4 else { throw Refusal(.invalid, ToyCause.malformed) }
        defer { offset += 4 }
        return (offset..<offset + 4).reduce(0) { $0 << 8 | UInt32(bytes[$1]) }
    }

    mutating func field() throws(Refusal) -> Bytes {
        let count = Int(try number())
        guard count <= bytes.count - offset else { throw Refusal(.invalid, ToyCause.malformed) }
        defer { offset += count }
        return bytes.slice(offset..<offset + count)
    }
}

enum ToyCause: String, RefusalCause {
    case used, malformed
    var code: String { rawValue }
    var description: String { rawValue }
}

/// Waits that double from one second to a minute.
struct ToyBackoff: Sendable {
    var tries: UInt32 = 0
    var next = Timestamp.zero

    mutating func start(at now: Timestamp) { (tries, next) = (0, now + .seconds(1)) }
    mutating func again(at now: Timestamp) {
        tries = min(tries + 1, 6)
        next = now + .seconds(1 << tries)
    }
}
