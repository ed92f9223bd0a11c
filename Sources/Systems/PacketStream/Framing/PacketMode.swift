/// Whose packets a decoder reads.
public enum PacketMode: String, Hashable, Sendable, CaseIterable {
    /// Every rule holds, and what breaks one is refused.
    case canonical
    /// What bubu-sdk-go 0.1.5 emits is read too, as the rules marked [interop] have it. Nothing is written so.
    case interop
}
