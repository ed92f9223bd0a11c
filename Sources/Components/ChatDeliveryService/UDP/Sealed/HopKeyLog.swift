import ChatModel

/// Writes down the keys of sealed sessions, so that who inspects the traffic can open it; see Specs/udp-sealed.md.
///
/// Whoever has the lines reads everything on the hop. No program makes one unless it is told to.
public struct HopKeyLog: Sendable {
    private let write: @Sendable (String) -> Void

    /// A log.
    ///
    /// - Parameter write: takes a line without its end; called from any thread.
    public init(_ write: @escaping @Sendable (String) -> Void) {
        self.write = write
    }

    /// A session began.
    func began(_ ids: (client: UInt64, relay: UInt64), _ outcome: Noise.Outcome) {
        let keys = [outcome.toRelay, outcome.toClient, outcome.root].map(Self.text).joined(separator: " ")
        write("HOP \(Self.text(ids.client)) \(Self.text(ids.relay)) \(keys)")
    }

    /// Its keys were replaced.
    func replaced(_ ids: (client: UInt64, relay: UInt64), _ generation: UInt64, _ shared: Secret) {
        write("KEY \(Self.text(ids.client)) \(Self.text(ids.relay)) \(generation) \(Self.text(shared))")
    }

    private static func text(_ secret: Secret) -> String {
        secret.lend { bytes in hex([UInt8](copying: bytes)) }
    }

    private static func text(_ id: UInt64) -> String {
        var bytes: [UInt8] = []
        bytes.append(big: id)
        return hex(bytes)
    }
}
