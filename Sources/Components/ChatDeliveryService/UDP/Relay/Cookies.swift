import ChatCrypto
import ChatModel

/// Proofs that somebody receives at an address, which the relay need not remember: the time in half minutes and a
/// code over it, the session and the address, under a key that only this relay has.
struct Cookies: Sendable {
    static let size = 20
    /// A cookie is good in the half minute in which it was made and in the next one.
    static let lifetime = MicrosecondSpan(30_000_000)
    private let key: Secret

    init(key: Secret) {
        self.key = key
    }

    func make(session: UInt64, peer: NetworkAddress, now: MonotonicInstant) -> [UInt8] {
        cookie(UInt32(truncatingIfNeeded: now.microseconds / Self.lifetime.count), session, peer)
    }

    func isGood(_ cookie: [UInt8], session: UInt64, peer: NetworkAddress, now: MonotonicInstant) -> Bool {
        guard cookie.count == Self.size else { return false }
        let current = UInt32(truncatingIfNeeded: now.microseconds / Self.lifetime.count)
        return [current, current &- 1].contains { time in
            // All bytes are looked at, whichever differ.
            zip(cookie, self.cookie(time, session, peer)).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
        }
    }

    private func cookie(_ time: UInt32, _ session: UInt64, _ peer: NetworkAddress) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: time)
        var text = bytes
        text.append(big: session)
        text.append(big: peer.high)
        text.append(big: peer.low)
        text.append(big: peer.port)
        return bytes + BLAKE2b.code(count: Self.size - bytes.count, of: text.span, key: key)
    }
}
