import ChatCodec
import ChatCrypto
import ChatModel

/// The keys of one sealed session, read from a key log: they open its packets, each by itself.
package struct HopKeys: Sendable {
    /// A packet that was opened.
    package struct Opened: Sendable {
        /// Whether the client sent it.
        package let isToRelay: Bool
        /// How many keys came before the one that sealed it.
        package let generation: UInt64
        /// Its number.
        package let number: UInt64
        /// What was sealed.
        package let frames: [UInt8]
    }

    private let client: UInt64
    private let relay: UInt64
    /// By generation.
    private var toRelay: [PacketKey]
    private var toClient: [PacketKey]

    /// The sessions of a log, in its order. Lines that say nothing of a session are skipped, as are those of a session
    /// whose beginning is not there.
    package static func read(_ log: String) -> [HopKeys] {
        var sessions: [HopKeys] = []
        for line in log.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 4, let client = UInt64(words[1], radix: 16), let relay = UInt64(words[2], radix: 16)
            else { continue }
            switch words[0] {
            case "HOP" where words.count == 6:
                if let keys = HopKeys(client, relay, words[3...]) { sessions.append(keys) }
            case "KEY":
                guard let index = sessions.lastIndex(where: { $0.client == client && $0.relay == relay }) else {
                    continue
                }
                sessions[index].replace(UInt64(words[3]), words[4])
            default: continue
            }
        }
        return sessions
    }

    private init?(_ client: UInt64, _ relay: UInt64, _ texts: ArraySlice<String>) {
        let keys = texts.compactMap { Self.secret($0) }
        guard keys.map(\.count) == [32, 32, 64],
            let first = try? PacketKey(sealing: keys[0], root: keys[2], label: "to relay"),
            let second = try? PacketKey(sealing: keys[1], root: keys[2], label: "to client")
        else { return nil }
        (self.client, self.relay, toRelay, toClient) = (client, relay, [first], [second])
    }

    private mutating func replace(_ generation: UInt64?, _ text: String) {
        guard let shared = Self.secret(text), shared.count == 32, generation == UInt64(toRelay.count),
            let first = try? toRelay.last?.next(mixing: shared), let second = try? toClient.last?.next(mixing: shared)
        else { return }
        toRelay.append(first)
        toClient.append(second)
    }

    private static func secret(_ text: String) -> Secret? {
        (try? Hex.decode(text)).map { bytes in Secret(copying: bytes.span) }
    }

    /// Opens a packet of the session, under whichever key sealed it; nil for others.
    package func open(_ packet: Span<UInt8>) -> Opened? {
        guard let (kind, id) = try? SealedHandshake.header(of: packet), kind == .packet else { return nil }
        guard id == relay || id == client else { return nil }
        let isToRelay = id == relay
        for key in (isToRelay ? toRelay : toClient).reversed() {
            guard let (flags, number) = try? key.unmask(packet),
                let frames = try? key.open(packet, flags: flags, number: number)
            else { continue }
            return Opened(isToRelay: isToRelay, generation: key.generation, number: number, frames: frames)
        }
        return nil
    }
}
