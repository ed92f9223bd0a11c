import ChatDeliveryService
import TestSupport

/// Datagrams made by hand after Specs/udp.md, without the package's own writer.
enum Craft {
    static func big(_ number: UInt64, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * (bytes - 1 - $0))) }
    }

    static func header(_ kind: UInt8, session: UInt64, version: UInt8 = 1) -> [UInt8] {
        [version, kind] + big(session, 8)
    }

    static func hello(session: UInt64, cookie: [UInt8] = [], version: UInt8 = 1) -> [UInt8] {
        let bytes = header(1, session: session, version: version) + big(1 << 21, 4) + [UInt8(cookie.count)] + cookie
        return bytes + [UInt8](repeating: 0, count: 1_200 - bytes.count)
    }

    static func data(session: UInt64, number: UInt64, _ frames: [UInt8]...) -> [UInt8] {
        header(5, session: session) + big(number, 8) + frames.flatMap(\.self)
    }

    /// A datagram with padding up to the size of a hello.
    static func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1_200 - bytes.count) }

    static let ping: [UInt8] = [1]

    static func acknowledgement(_ ranges: [(UInt64, UInt64)], delay: UInt64 = 0) -> [UInt8] {
        [2] + big(delay, 4) + [UInt8(ranges.count)] + ranges.flatMap { big($0.0, 8) + big($0.1, 8) }
    }

    /// A piece of a message; all of it if it fits into one.
    static func message(_ number: UInt64, after: UInt64 = 0, total: Int? = nil, index: Int = 0, _ bytes: [UInt8])
        -> [UInt8]
    {
        [3] + big(number, 8) + big(after, 4) + big(UInt64(total ?? bytes.count), 4) + big(UInt64(index), 2) + bytes
    }

    static func publish(_ payload: [UInt8], id: UInt64, on address: String = "hall") -> [UInt8] {
        [1] + big(7, 8) + big(id, 8) + short(address) + [0] + payload
    }

    static func subscribe(_ number: UInt64, on address: String = "hall", since: UInt8 = 1) -> [UInt8] {
        [2] + big(number, 4) + [since] + [UInt8](repeating: 0, count: 16) + short(address)
    }

    static func deliver(_ number: UInt64, sequence: UInt64, _ payload: [UInt8]) -> [UInt8] {
        [0x82] + big(number, 4) + big(sequence, 8) + big(0, 16 / 2) + big(9, 8) + [0] + payload
    }

    static func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
}

/// A relay that a test drives with datagrams of its own, and a client of it that is let in.
struct LoneRelay {
    var core: RelayCore
    var now = MonotonicInstant(microseconds: 1_000_000)
    let peer = NetworkAddress(v4: 0x0A00_0102, port: 40_000)
    let session: UInt64 = 0x1122_3344_5566_7788

    init(_ limits: RelayLimits = RelayLimits()) {
        core = RelayCore(limits, random: SeededRandom(5))
    }

    /// Hands a datagram to the relay; returns what it sends.
    mutating func receive(_ bytes: [UInt8], from other: NetworkAddress? = nil) -> [[UInt8]] {
        core.receive(bytes.span, from: other ?? peer, now: now)
        return takeSent()
    }

    mutating func takeSent() -> [[UInt8]] {
        var sent: [[UInt8]] = []
        var batch = DatagramBatch()
        repeat {
            batch.removeAll()
            core.write(into: &batch, now: now)
            sent += (0..<batch.count).map { batch.datagram($0) }
        } while batch.isFull || core.wake == .zero
        return sent
    }

    /// The cookie of a challenge, which begins behind the header and its own length.
    static func cookie(_ challenge: [UInt8]) -> [UInt8] { Array(challenge.dropFirst(11)) }

    mutating func join(_ other: NetworkAddress? = nil) {
        // It may have more to say than the answer.
        guard let challenge = receive(Craft.hello(session: session), from: other).first(where: { $0[1] == 2 }) else {
            return
        }
        _ = receive(Craft.hello(session: session, cookie: Self.cookie(challenge)), from: other)
    }
}
