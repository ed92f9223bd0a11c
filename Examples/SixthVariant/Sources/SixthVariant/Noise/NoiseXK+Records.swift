internal import ChatCrypto
internal import ChatModel

// What is stored: a version, then parts of fixed size.
extension NoiseXK {
    static let version: UInt8 = 1
    private static let ticketSize = NoiseInbox.idSize + 32

    var ticketsRecord: Record {
        let tickets = tickets
        let bytes = Bytes(headRoom: 0, count: 1 + tickets.count * Self.ticketSize) { output in
            output.append(Self.version)
            for ticket in tickets {
                for byte in ticket.id { output.append(byte) }
                ticket.key.lend { key in for index in key.indices { output.append(key[index]) } }
            }
        }
        return Record("tickets", bytes)
    }

    mutating func restore(_ record: Record) throws(Refusal) {
        let unreadable = Refusal(.unsupported, CommonCause.unreadableRecord(record.key, machine: facts.name))
        guard let bytes = record.bytes, bytes.count > 0, bytes[0] == Self.version else { throw unreadable }
        guard record.key != "tickets" else {
            let count = (bytes.count - 1) / Self.ticketSize
            guard bytes.count == 1 + count * Self.ticketSize, count <= Self.maximumTickets else { throw unreadable }
            tickets = (0..<count).map { number in
                let start = 1 + number * Self.ticketSize
                let key = start + NoiseInbox.idSize..<start + Self.ticketSize
                return Ticket(
                    id: bytes.slice(start..<key.lowerBound).array, key: Secret(copying: bytes.slice(key).span))
            }
            return
        }
        guard record.key.hasPrefix("contact/"), let number = UInt64(record.key.dropFirst("contact/".count)),
            let one = NoiseContact(decoding: bytes)
        else { throw unreadable }
        set(one, for: ContactID(number))
    }
}

extension NoiseContact {
    private static let fixedSize = 1 + X25519.size + 2 * NoiseInbox.idSize + X25519.size + 1

    /// Version, long-term key, ticket, address for the answer, private key, the type's size and name, and the answer.
    var encoded: Bytes {
        let (name, answer) = (Array(type.utf8), answer ?? [])
        return Bytes(headRoom: 0, count: Self.fixedSize + name.count + answer.count) { output in
            output.append(NoiseXK.version)
            for part in [remote.bytes, ticket, reply] { for byte in part { output.append(byte) } }
            ephemeral.secret.lend { secret in for index in secret.indices { output.append(secret[index]) } }
            output.append(UInt8(truncatingIfNeeded: name.count))
            for part in [name, answer] { for byte in part { output.append(byte) } }
        }
    }

    init?(decoding bytes: Bytes) {
        guard bytes.count > Self.fixedSize else { return nil }
        var start = 1
        func take(_ count: Int) -> Bytes {
            defer { start += count }
            return bytes.slice(start..<start + count)
        }
        (remote, ticket) = (PublicKey(take(X25519.size).array), take(NoiseInbox.idSize).array)
        reply = take(NoiseInbox.idSize).array
        guard let pair = try? X25519.keyPair(Secret(copying: take(X25519.size).span)) else { return nil }
        ephemeral = pair
        let size = Int(take(1)[0])
        guard size > 0, start + size <= bytes.count,
            let name = String(validating: take(size).array, as: UTF8.self)
        else { return nil }
        type = name
        answer = start < bytes.count ? bytes.slice(start..<bytes.count).array : nil
    }
}
