import ChatCodec
import ChatCrypto
import ChatModel

/// The state of every conversation of two beside its cryptography: roles, addresses, and whether it was opened.
struct TwoParty: Hashable {
    /// Bytes of the secret from which ids are derived.
    static let secretSize = 32

    /// The delivery address of both directions.
    let address: DeliveryAddress
    /// The routes of payloads to us and to the other side, without secrets; their ids are the conversation ids.
    let (own, remote): (Route, Route)
    /// The other side's identity, if the initialization authenticated one.
    let peer: PublicKey?
    /// Whether the initiator's first payload, which travels in the invite, has been made.
    private(set) var isOpened: Bool

    /// The secret and the ids of a seed; refuses one without a secret of 32 bytes.
    static func ids(_ seed: ConversationSeed, size: Int, type: String) throws(Refusal) -> (secret: Secret, ids: RoleIDs)
    {
        guard let secret = seed.secret, secret.count == secretSize else {
            throw incomplete("a secret of \(secretSize) bytes", type)
        }
        return (secret, RoleIDs(secret, size: size))
    }

    /// Refuses a seed.
    static func incomplete(_ what: String, _ type: String) -> Refusal {
        Refusal(.unable, CommonCause.incompleteSeed(what, type: type))
    }

    init(_ seed: ConversationSeed, _ ids: RoleIDs, address: DeliveryAddress) {
        self.address = address
        let (first, second) = (Route(hex(ids.initiator)), Route(hex(ids.responder)))
        (own, remote) = seed.role == .initiator ? (first, second) : (second, first)
        (peer, isOpened) = (seed.peers.first, seed.role == .responder)
    }

    var id: ConversationID { ConversationID(own.id) }

    /// Refuses a payload that would be larger than the layers below take.
    func check(_ size: Int, in step: borrowing Step) throws(Refusal) {
        guard size <= step.maximumPayload else {
            throw Refusal(.unable, CommonCause.tooLarge("payload", bytes: size, limit: step.maximumPayload))
        }
    }

    /// Leaves a payload in the step: an initiator's first for the invite, all others for the address.
    ///
    /// - Parameter route: the other side's, with the secret of the payload.
    mutating func dispatch(
        _ payload: consuming Payload, to route: Route, sequence: UInt64, for content: ContentID, in step: inout Step
    ) {
        if isOpened {
            step.send(Routed(address, route, payload: payload, sequence: sequence), for: content)
        } else {
            step.open(payload, for: content)
            isOpened = true
        }
    }
}

extension TwoParty {
    /// This and the state of the cryptography, as a machine stores them.
    struct State<Inner: ProtoMessage>: ProtoMessage {
        /// Fields 1 to 5.
        var party: TwoParty
        /// Field 6.
        var inner: Inner

        init(_ party: TwoParty, _ inner: Inner) {
            (self.party, self.inner) = (party, inner)
        }

        init(decoding bytes: Bytes) throws(WireError) {
            var (own, remote, address, peer, isOpened) = ("", "", "", Bytes(), false)
            var inner: Inner?
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: own = try reader.string(limit: Route.maximumID)
                case 2: remote = try reader.string(limit: Route.maximumID)
                case 3: address = try reader.string(limit: Route.maximumID)
                case 4: peer = bytes.slice(try reader.range())
                case 5: isOpened = try reader.bool()
                case 6: inner = try Inner(decoding: bytes.slice(try reader.range()))
                default: continue
                }
            }
            guard !own.isEmpty, !remote.isEmpty, !address.isEmpty, let inner else { throw .missing("ids or state") }
            party = TwoParty(
                address: DeliveryAddress(address), own: Route(own), remote: Route(remote),
                peer: peer.isEmpty ? nil : PublicKey(peer.array), isOpened: isOpened)
            self.inner = inner
        }

        private var peer: Bytes { Bytes(party.peer?.bytes ?? []) }

        var size: Int {
            ProtoSize.field(1, count: party.own.id.utf8.count) + ProtoSize.field(2, count: party.remote.id.utf8.count)
                + ProtoSize.field(3, count: party.address.text.utf8.count) + ProtoSize.field(4, count: peer.count)
                + ProtoSize.field(5, party.isOpened ? 1 : 0) + ProtoSize.present(6, count: inner.size)
        }

        @_lifetime(output: copy output)
        func write(to output: inout OutputSpan<UInt8>) {
            output.append(field: 1, party.own.id)
            output.append(field: 2, party.remote.id)
            output.append(field: 3, party.address.text)
            output.append(field: 4, peer)
            output.append(field: 5, party.isOpened ? 1 : 0)
            output.append(present: 6, inner)
        }
    }

    private init(address: DeliveryAddress, own: Route, remote: Route, peer: PublicKey?, isOpened: Bool) {
        (self.address, self.own, self.remote, self.peer, self.isOpened) = (address, own, remote, peer, isOpened)
    }
}
