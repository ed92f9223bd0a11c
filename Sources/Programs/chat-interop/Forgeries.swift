import ChatCodec

/// An invite whose frame is of a kind that nobody knows, made from one that can be read.
///
/// Possible where the frame travels in the clear, as in profile `libchat`; nil elsewhere.
struct StrangeInvite {
    let parcel: Participant.Parcel

    init?(like invite: Participant.Parcel) {
        // InboxV1Frame begins with the tag of its one field; another field number is another kind.
        var payload = invite.payload
        let discriminator = Array("default".utf8)
        guard let place = payload.indices.first(where: { payload[$0...].starts(with: discriminator) }), place >= 5
        else {
            return nil
        }
        // tag and two length bytes of the frame, tag and length of the discriminator stand before it.
        guard payload[place - 5] == 0x0a else { return nil }
        payload[place - 5] = 0x7a
        parcel = Participant.Parcel(address: invite.address, payload: payload)
    }
}

/// Links that look like one of Raya's and are not: one bit of a key or of the signature is another one.
///
/// Possible where the link carries a signed bundle of `chatintro_1` (INTRO-07); none elsewhere.
struct ForgedLinks {
    let all: [(what: String, link: String)]

    init(like link: String) {
        let prefix = "logos_chatintro_1_"
        guard link.hasPrefix(prefix), let bundle = try? Base64URL.decode(String(link.dropFirst(prefix.count))),
            bundle.count == 134
        else {
            all = []
            return
        }
        // Three fields of 32, 32 and 64 bytes, each behind its tag and its length.
        all = [("ephemeral key", 40), ("signature", 100), ("installation key", 5)].map { what, place in
            var forged = bundle
            forged[place] ^= 1
            return ("a link with a forged \(what)", prefix + Base64URL.encode(forged))
        }
    }
}
