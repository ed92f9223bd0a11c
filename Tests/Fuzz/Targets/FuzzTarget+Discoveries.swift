import ChatCodec
import ChatCrypto
import ChatDiscovery
import ChatModel

extension FuzzTarget {
    /// Links and directory entries.
    static func discoveries() throws -> [FuzzTarget] {
        [links, try directory()]
    }

    /// The published example, and a link of another scheme.
    private static let someLinks = [
        "logos_chatintro_1_CiDentt9e33BtNNbYcLs5DU3P4NDyFt4Z02t_H4Ub4grTxIgew1H2TQn-DERYHgcfHM_2J-IlwrvSQ2KoO4ZpMuKGxQa"
            + "QEXjqAWo_Tt-A0Dmtg4-RFqW_kjCKYJjwFRaEBJE-CkINUExXvYkfq35xXNqW2ccMuwdGivBgRn_QQ_8XTVNpgc",
        "logos_openinvite_12_AAECAw",
    ]

    /// A link that is read is written the same.
    private static let links = FuzzTarget("links", seeds: someLinks.map { Array($0.utf8) }) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let bundle = try? IntroLink(text).bundle else { return false }
        let again = "logos_\(bundle.scheme)_\(Base64URL.encode(bundle.bytes.array))"
        try demand(again == text, "the link is written as \(again)")
        return true
    }

    /// An entry whose signature verifies is the one that was signed.
    private static func directory() throws -> FuzzTarget {
        let seed = Secret(copying: [UInt8](repeating: 1, count: 32).span)
        let bundles = [
            IntroductionBundle(scheme: "chatintro_1", bytes: Bytes("bundle"), isSingleUse: true),
            IntroductionBundle(scheme: "openinvite_1", bytes: [], expiry: Timestamp(milliseconds: 1_800_000_000_000)),
        ]
        let entry = DirectoryEntry(
            name: "raya", publisher: try Ed25519.keyPair(seed: seed).publicKey, sequence: 1_700_000_000_000,
            expiry: Timestamp(milliseconds: 1_800_000_000_000), bundles: bundles)
        return FuzzTarget("directory", seeds: [try entry.signed(by: seed).array]) { bytes in
            guard let signed = try? SignedDirectoryEntry(Bytes(bytes)) else { return false }
            let again = try? DirectoryEntry(decoding: signed.entry.encoded())
            try demand(again == signed.entry, "the entry is another one when it is written and read again")
            guard (try? signed.verify()) != nil else { return false }
            try demand(signed.entry == entry, "an entry that nobody signed")
            return true
        }
    }
}
