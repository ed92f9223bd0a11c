/// What peers are called: the cast of the specifications, and numbers after them.
public enum ParticipantNames {
    private static let names = ["Saro", "Raya", "Pax"]

    /// The name of a peer.
    public static func name(_ peer: Int) -> String {
        names.indices.contains(peer) ? names[peer] : "Peer\(peer)"
    }
}
